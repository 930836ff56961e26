import type { PooledBuffer } from '../device/buffers.js';
import type { Device } from '../device/device.js';
import type { Contestant, RaceOutput } from '../kernels/race.js';
import { type Choose, chooseStatic, type Variant, type VariantQuestion } from '../kernels/variants.js';
import { isFloat, typedArray } from './dtype.js';
import { bytesOf, encode } from './encoding.js';
import { Executable, rangeOf } from './executable.js';
import type { Operand, Value } from './ir.js';
import type { BufferRange } from './lowering.js';
import type { SourceOp, ViewOp } from './op.js';
import { buildPlan } from './plan.js';
import { isNumber, numberOf, Tensor } from './tensor.js';

/** A question that a plan's lowering asked, and for which nodes. */
export interface AskedQuestion {
  readonly question: VariantQuestion;
  /** The nodes of the dispatch. */
  readonly anchors: readonly Value[];
  readonly flops: number;
}

/** Buffers of a trial hold at most so many bytes together; beyond it the static choice stays. */
const MOST_BYTES = 256 * 2 ** 20;

const leafOp: SourceOp = { name: 'leaf', kind: 'source' };

/**
 * One op alone, with the shapes, views and numbers that it has in its plan, on random inputs: its variants take
 * turns on the same buffers. What the plan fused into it stays out, so one timing serves all plans.
 */
export class Trial {
  readonly contestants: readonly Contestant[];
  readonly reference: Contestant;
  readonly outputs: readonly RaceOutput[];
  readonly #device: Device;
  readonly #nodes: readonly Tensor[];
  readonly #leaves: readonly Tensor[];
  readonly #inputs: readonly (BufferRange | undefined)[];
  readonly #pooled: PooledBuffer[] = [];
  readonly #executables: Executable[] = [];

  private constructor(device: Device, { question }: AskedQuestion, { nodes, leaves }: Copied) {
    this.#device = device;
    this.#nodes = nodes;
    this.#leaves = leaves;
    this.#inputs = leaves.map((leaf, i) => (isNumber(leaf.source) ? undefined : this.#filled(leaf, i, question)));
    this.outputs = nodes.map((node) => {
      const bytes = bytesOf(node, device);
      return { buffer: this.#acquire(bytes).buffer, bytes, float: node.dtype === 'f32' };
    });
    const { variants, timed, reference } = question;
    const contestants = variants.slice(0, timed).map((variant) => this.#contestant(question, variant));
    this.contestants = contestants;
    this.reference =
      contestants.find(({ name }) => name === reference.variant) ?? this.#contestant(question, reference);
  }

  /** @returns undefined when it would take too much memory. */
  static of(device: Device, asked: AskedQuestion, leavesOfPlan: readonly Tensor[]): Trial | undefined {
    const copied = copyNodes(asked.anchors, leavesOfPlan);
    const bytes = [...copied.nodes, ...copied.leaves].reduce((sum, one) => sum + bytesOf(one, device), 0);
    return bytes > MOST_BYTES ? undefined : new Trial(device, asked, copied);
  }

  /** Gives its buffers back. */
  release(): void {
    for (const executable of this.#executables) executable.destroy();
    for (const pooled of this.#pooled) this.#device.buffers.release(pooled);
  }

  #acquire(bytes: number): BufferRange {
    const pooled = this.#device.buffers.acquire(bytes, 'tuning');
    this.#pooled.push(pooled);
    return rangeOf(pooled);
  }

  #filled(tensor: Tensor, seed: number, { integersBelow = 2 }: VariantQuestion): BufferRange {
    const { dtype, size } = tensor;
    const range = this.#acquire(bytesOf(tensor, this.#device));
    const data = typedArray(dtype, size);
    // Any even generator does: what matters is that neighbours differ and that sums stay exact.
    let state = seed + 1;
    for (let i = 0; i < size; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const draw = state / 2 ** 32;
      data[i] = isFloat(dtype) ? Math.floor(9 * draw) - 4 : Math.floor((dtype === 'bool' ? 2 : integersBelow) * draw);
    }
    const encoded = encode(dtype, data, this.#device) as GPUAllowSharedBufferSource;
    if (size > 0) this.#device.queue.writeBuffer(range.buffer, range.offset, encoded);
    return range;
  }

  #contestant({ shapeClass }: VariantQuestion, taken: Variant): Contestant {
    let groups: readonly GPUBindGroup[] = [];
    let executable: Executable | undefined;
    return {
      name: taken.variant,
      prepare: async () => {
        const choose: Choose = (question) => {
          const variant = question.variants.find(({ variant }) => variant === taken.variant);
          if (variant === undefined || question.shapeClass !== shapeClass) return chooseStatic(question);
          return { variant, origin: 'tuned' };
        };
        const plan = buildPlan(this.#device, { outputs: this.#nodes, effects: [], fusion: { enabled: true }, choose });
        const made = new Executable(this.#device, plan);
        executable = made;
        this.#executables.push(made);
        const slots = plan.slots.map((bytes) => this.#acquire(bytes));
        const { result, error } = this.#device.errors.scope(taken.variant, () => {
          made.writeTurn(this.#leaves);
          made.upload();
          return made.bind({
            leaf: (index) => this.#inputs[index] as BufferRange,
            output: (index) => this.#output(index),
            slot: (index) => slots[index] as BufferRange,
          });
        });
        groups = result;
        const [refusal] = await Promise.all([error, made.prepare()]);
        if (refusal !== undefined) throw refusal;
      },
      encode: (pass) => executable?.encode(pass, groups),
    };
  }

  #output(index: number): BufferRange {
    const { buffer, bytes } = this.outputs[index] as RaceOutput;
    return { buffer, offset: 0, bytes };
  }
}

interface Copied {
  readonly nodes: readonly Tensor[];
  readonly leaves: readonly Tensor[];
}

/** The nodes over leaves of their own. Nodes of one dispatch share the inputs that they shared. */
function copyNodes(anchors: readonly Value[], leavesOfPlan: readonly Tensor[]): Copied {
  const leaves: Tensor[] = [];
  const bases = new Map<Value, Tensor>();
  const inputs = new Map<Tensor, Tensor>();
  const baseOf = ({ tensor }: Value): Tensor => {
    const index = leaves.length;
    const number = tensor.source?.kind === 'uniformLeaf' ? leavesOfPlan[tensor.source.index]?.source : undefined;
    if (isNumber(number)) {
      leaves.push(new Tensor(leafOp, [], [], tensor.dtype, {}, { kind: 'constant', value: numberOf(number) }));
      return new Tensor(leafOp, [], [], tensor.dtype, {}, { kind: 'uniformLeaf', index });
    }
    const leaf = new Tensor(leafOp, [], tensor.shape, tensor.dtype, {}, { kind: 'leaf', index });
    leaves.push(leaf);
    return leaf;
  };
  const copyOf = (input: Tensor, { value, view }: Operand): Tensor => {
    let copy = inputs.get(input);
    if (copy !== undefined) return copy;
    let base = bases.get(value);
    if (base === undefined) {
      base = baseOf(value);
      bases.set(value, base);
    }
    const viewOp: ViewOp = { name: 'view', kind: 'view', view: () => view };
    copy = new Tensor(viewOp, [base], input.shape, input.dtype);
    inputs.set(input, copy);
    return copy;
  };
  const nodes = anchors.map(({ tensor, operands }) => {
    const { op, shape, dtype, attributes } = tensor;
    const own = tensor.inputs.map((input, i) => copyOf(input, operands[i] as Operand));
    // Its data is random: nothing in it is worth a complaint.
    return new Tensor(op, own, shape, dtype, 'check' in attributes ? { ...attributes, check: 'none' } : attributes);
  });
  return { nodes, leaves };
}
