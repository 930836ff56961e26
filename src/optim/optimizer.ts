import arenaWgsl from '../../shaders/optim/arena.wgsl';
import { DtypeError, formatShape, ShapeError, ValueError } from '../errors.js';
import { Arena, BLOCK_FLOATS } from '../graph/arena.js';
import { engine } from '../graph/current.js';
import type { TypedArray } from '../graph/dtype.js';
import type { Sink } from '../graph/effect.js';
import type { Engine } from '../graph/engine.js';
import type { BufferRange, Lowering, UniformValue } from '../graph/lowering.js';
import { Parameter } from '../graph/parameter.js';
import { PlanCache } from '../graph/planCache.js';
import { type Shape, sameShape } from '../graph/shape.js';
import type { Storage } from '../graph/storage.js';
import { Tensor } from '../graph/tensor.js';
import { observe, perform } from '../graph/trace.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { foldGrid } from '../kernels/workgroups.js';
import { type Clip, clippingLowerings } from './clip.js';
import type { Setting } from './groups.js';

export interface CommonOptions {
  /** Holds gradients back before they are used. Default: not at all. */
  readonly clip?: Clip;
}

/** How an optimizer's WGSL is fed. */
export interface OptimizerRule {
  readonly name: string;
  /** `Settings`, `settingsOf`, `update`, and the state arenas: see shaders/optim/arena.wgsl. */
  readonly wgsl: WgslModule;
  /** Names of its state arenas, as bound in the kernel. */
  readonly states: readonly string[];
  /** A group's numbers, at most 8, in the order of the kernel's `Settings`. */
  readonly fields: readonly { readonly name: string; readonly of: (group: number) => Setting }[];
}

/** One tensor of an optimizer's state, for a checkpoint. */
export interface StateTensor {
  readonly shape: Shape;
  readonly read: () => Promise<TypedArray>;
  readonly write: (data: Float32Array) => void;
}

export interface OptimizerState {
  readonly name: string;
  readonly step: number;
  readonly setStep: (step: number) => void;
  readonly tensors: ReadonlyMap<string, StateTensor>;
}

interface Prepared {
  readonly engine: Engine;
  readonly parameters: Arena;
  readonly gradients: Arena;
  readonly states: readonly Arena[];
  readonly plans: PlanCache;
}

/** More groups would need a larger uniform table. */
const MAXIMUM_GROUPS = 8;
const FROZEN = 0xffffffff;
/** Numbers of a group, as `settingsOf` takes them. */
const SETTINGS = 8;
const WORKGROUP_SIZE = 64;

let nextOptimizer = 1;

/**
 * Updates parameters by their gradients, in one dispatch a step whatever their number: parameters, gradients
 * and state lie in flat arenas, where gradients are computed straight into place.
 *
 * Parameters with `trainable: false` are left alone. A parameter shared by several layers is listed once.
 */
export class Optimizer {
  readonly parameters: readonly Parameter[];
  readonly name: string;
  /** Updates done. Inside a compiled step it counts executions. */
  step = 0;
  readonly #rule: OptimizerRule;
  readonly #groups: readonly (readonly Parameter[])[];
  readonly #groupOf: readonly number[];
  readonly #clip: Clip | undefined;
  readonly #id = nextOptimizer++;
  readonly #blocks = new Map<string, readonly Storage[]>();
  readonly #settings = new Map<number, UniformValue>();
  #prepared: Prepared | undefined;
  #preparations = 0;
  #lastFlags: string | undefined;

  constructor(rule: OptimizerRule, groups: readonly (readonly Parameter[])[], options: CommonOptions) {
    this.name = rule.name;
    this.#rule = rule;
    this.#groups = groups;
    this.#clip = options.clip;
    this.parameters = groups.flat();
    this.#groupOf = groups.flatMap((group, i) => group.map(() => i));
    checkParameters(rule.name, this.parameters, groups.length);
  }

  /**
   * One step down these gradients, as `grad(loss, optimizer.parameters)` gives them.
   * @throws ValueError, DtypeError or ShapeError when they do not match the parameters.
   */
  update(gradients: readonly Tensor[]): void {
    this.#check(gradients);
    const owner = engine(`optim.${this.name}`);
    const mine = `optimizer ${this.#id} `;
    if (owner.trace?.effects.some(({ key }) => key.startsWith(mine))) {
      throw new ValueError(`optim.${this.name}`, 'update is called twice in one step.', {
        mend: 'add the gradients up, or make two compiled steps.',
      });
    }
    const prepared = this.#prepare(owner);
    const trainable = this.parameters.map((parameter) => observe(() => parameter.trainable));
    const flags = trainable.map(Number).join('');
    const chosen = trainable.flatMap((is, i) => (is ? [i] : []));
    perform(
      {
        key: `${mine}${this.#preparations} ${flags}`,
        inputs: chosen.map((i) => gradients[i] as Tensor),
        placements: chosen.map((i) => prepared.gradients.places[i]),
        updates: chosen.map((i) => this.parameters[i] as Parameter),
        beside: this.parameters,
        sinks: this.#clip === undefined ? chosen.map((i) => this.#sink(prepared, i)) : [],
        lower: (_, taken) => {
          const left = new Set(chosen.filter((_i, k) => !taken.has(k)));
          return left.size === 0 ? [] : this.#lower(prepared, this.#blocksFor(prepared, left));
        },
        plans: prepared.plans,
        stands: () => this.#prepared === prepared,
        advance: () => {
          this.step++;
          this.#clearFrozen(prepared, flags, trainable);
        },
      },
      `optim.${this.name}`,
    );
  }

  /** What a parameter's gradient was when it froze must not count in the global norm. */
  #clearFrozen(prepared: Prepared, flags: string, trainable: readonly boolean[]): void {
    if (this.#lastFlags === flags) return;
    this.#lastFlags = flags;
    trainable.forEach((is, i) => {
      if (!is) prepared.gradients.clear(i);
    });
  }

  #check(gradients: readonly Tensor[]): void {
    const op = `optim.${this.name}`;
    if (!Array.isArray(gradients) || gradients.length !== this.parameters.length) {
      const count = Array.isArray(gradients) ? gradients.length : typeof gradients;
      throw new ValueError(op, `update got ${count} gradients for ${this.parameters.length} parameters.`, {
        mend: 'pass grad(loss, optimizer.parameters).',
      });
    }
    gradients.forEach((gradient, i) => {
      const parameter = this.parameters[i] as Parameter;
      if (!(gradient instanceof Tensor)) throw new ValueError(op, `gradient ${i} is not a Tensor.`);
      if (gradient.dtype !== 'f32') {
        throw new DtypeError(op, `gradient ${i} is ${gradient.dtype}; it must be f32.`, {
          mend: 'cast it: toF32(gradient).',
        });
      }
      if (sameShape(gradient.shape, parameter.shape)) return;
      throw new ShapeError(
        op,
        `gradient ${i} is ${formatShape(gradient.shape)}, parameter '${parameter.name ?? i}' ${formatShape(parameter.shape)}.`,
      );
    });
  }

  /** Builds the arenas at the first update and moves the parameters into theirs. */
  #prepare(owner: Engine): Prepared {
    if (this.#prepared?.engine === owner) return this.#prepared;
    const sizes = this.parameters.map((parameter) => parameter.size);
    const label = `optim.${this.name}`;
    // All are looked at before any is moved: a refusal leaves everything as it was.
    const storages = this.parameters.map((parameter, i) => {
      const storage = owner.heap.materialise(parameter);
      if (storage.arena === undefined) return storage;
      throw new ValueError(
        label,
        `parameter '${parameter.name ?? i}' already belongs to an optimizer (${storage.arena}).`,
        { mend: 'give each parameter to one optimizer; groups can have settings of their own.' },
      );
    });
    const parameters = new Arena(owner, sizes, 'parameters', label);
    const gradients = new Arena(owner, sizes, 'optimizers', `${label} gradients`);
    const states = this.#rule.states.map((state) => new Arena(owner, sizes, 'optimizers', `${label} ${state}`));
    this.parameters.forEach((parameter, i) => {
      const place = parameters.places[i] as Storage;
      owner.heap.copy(storages[i] as Storage, place, 4 * parameter.size);
      owner.heap.relocate(parameter, place);
    });
    this.#blocks.clear();
    this.#preparations++;
    this.#lastFlags = undefined;
    this.#prepared = { engine: owner, parameters, gradients, states, plans: new PlanCache() };
    return this.#prepared;
  }

  /** How a gradient's own kernel updates a parameter. */
  #sink({ parameters, states }: Prepared, i: number): Sink {
    const segment = parameters.segmentOf[i] ?? 0;
    const held = parameters.segments[segment] as BufferRange;
    const ranges: Record<string, BufferRange> = { parameters: held };
    this.#rule.states.forEach((state, k) => {
      ranges[state] = states[k]?.segments[segment] as BufferRange;
    });
    const group = this.#groupOf[i] ?? 0;
    return {
      name: this.name,
      module: this.#rule.wgsl,
      replace: { Floats: 'alias Floats = f32;' },
      ranges,
      offset: ((parameters.places[i]?.offset ?? 0) - held.offset) / 4,
      // The learning rate is what people sweep: as a constant each rate would compile kernels of its own.
      settings: Array.from({ length: SETTINGS }, (_, k) => {
        const value = this.#setting(group, k);
        const stays =
          typeof value === 'number' &&
          Number.isFinite(Math.fround(value)) &&
          this.#rule.fields[k]?.name !== 'learningRate';
        return stays ? { constant: value } : value;
      }),
    };
  }

  /** A group's number, as the update under way needs it. */
  #setting(group: number, k: number): UniformValue {
    const known = this.#settings.get(SETTINGS * group + k);
    if (known !== undefined) return known;
    const setting = this.#rule.fields[k]?.of(group) ?? 0;
    const made = typeof setting === 'number' ? setting : () => setting(this.step);
    this.#settings.set(SETTINGS * group + k, made);
    return made;
  }

  /** The group of each block of 64 floats, or FROZEN; a buffer for each segment of the arena. */
  #blocksFor(prepared: Prepared, chosen: ReadonlySet<number>): readonly Storage[] {
    const key = [...chosen].join();
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const { engine: owner, parameters } = prepared;
    const tables = parameters.segments.map((segment) => new Uint32Array(segment.bytes / 4 / BLOCK_FLOATS).fill(FROZEN));
    parameters.places.forEach(({ offset, bytes }, i) => {
      if (!chosen.has(i)) return;
      const first = offset / 4 / BLOCK_FLOATS;
      const count = Math.ceil(bytes / 4 / BLOCK_FLOATS);
      tables[parameters.segmentOf[i] ?? 0]?.fill(this.#groupOf[i] ?? 0, first, first + count);
    });
    const made = tables.map((table) => {
      const storage = owner.heap.allocate(table.byteLength, 'optimizers', `optim.${this.name} groups`);
      owner.heap.hold(prepared, [storage]);
      owner.heap.upload(storage, table, 'u32');
      return storage;
    });
    this.#blocks.set(key, made);
    return made;
  }

  #lower({ parameters, gradients, states }: Prepared, blocks: readonly Storage[]): Lowering[] {
    const clip = clippingLowerings(this.#clip, gradients);
    const uniforms: Record<string, UniformValue> = {};
    this.#groups.forEach((_, group) => {
      this.#rule.fields.forEach((_field, k) => {
        uniforms[`groups.${SETTINGS * group + k}`] = this.#setting(group, k);
      });
    });
    const updates = parameters.segments.map((segment, i): Lowering => {
      const count = segment.bytes / 4;
      const blockCount = count / BLOCK_FLOATS;
      // Four invocations a block.
      const workgroups = foldGrid(Math.ceil((4 * blockCount) / WORKGROUP_SIZE));
      const ranges: Record<string, BufferRange> = {
        parameters: segment,
        gradients: gradients.segments[i] as BufferRange,
        blocks: blocks[i] as Storage,
      };
      this.#rule.states.forEach((state, k) => {
        ranges[state] = states[k]?.segments[i] as BufferRange;
      });
      return {
        kernel: arenaWgsl,
        appended: this.#rule.wgsl,
        variant: 'arena',
        ranges,
        ...clip.update,
        uniforms: { blockCount, gridWidth: workgroups[0], ...clip.update.uniforms, ...uniforms },
        overrides: { WORKGROUP_SIZE },
        workgroups,
        flops: 12 * count,
      };
    });
    return [...clip.before, ...updates];
  }

  /** Frees gradients and state. The parameters keep their values, in buffers of their own. */
  dispose(): void {
    if (this.#prepared === undefined) return;
    const { engine: owner, parameters, gradients, states, plans } = this.#prepared;
    // With the engine the values are gone; a parameter may have got another elsewhere.
    for (const parameter of owner.device.isLost ? [] : this.parameters) {
      const storage = owner.heap.allocate(4 * parameter.size, 'parameters', parameter.toString());
      owner.heap.copy(parameter.storage as Storage, storage, 4 * parameter.size);
      owner.heap.relocate(parameter, storage);
    }
    for (const arena of [parameters, gradients, ...states]) arena.free();
    plans.clear();
    for (const storages of this.#blocks.values()) for (const storage of storages) storage.free();
    this.#blocks.clear();
    this.#prepared = undefined;
    // The state begins anew, and with it the count that corrects its bias.
    this.step = 0;
  }

  /** @internal What a checkpoint holds, by parameter name. */
  state(names?: ReadonlyMap<Parameter, string>): OptimizerState {
    const owner = engine(`optim.${this.name}`);
    const prepared = this.#prepare(owner);
    const tensors = new Map<string, StateTensor>();
    this.#rule.states.forEach((state, k) => {
      this.parameters.forEach((parameter, i) => {
        const range = prepared.states[k]?.places[i] as BufferRange;
        // Names of parameters alone may repeat (two layers' 'weight'); a model's do not.
        const name = names?.get(parameter) ?? [i, parameter.name].filter((part) => part !== undefined).join('.');
        tensors.set(`${state}.${name}`, {
          shape: parameter.shape,
          read: async () => new Float32Array(await owner.device.readback.read(range.buffer, range.offset, range.bytes)),
          write: (data) => owner.heap.upload(range, data, 'f32'),
        });
      });
    });
    return {
      name: this.name,
      step: this.step,
      setStep: (step) => {
        this.step = step;
      },
      tensors,
    };
  }
}

function checkParameters(name: string, parameters: readonly Parameter[], groups: number): void {
  const op = `optim.${name}`;
  if (parameters.length === 0)
    throw new ValueError(op, 'there are no parameters.', { mend: 'pass model.parameters().' });
  if (groups > MAXIMUM_GROUPS) throw new ValueError(op, `${groups} groups; at most ${MAXIMUM_GROUPS} are possible.`);
  const seen = new Set<Parameter>();
  parameters.forEach((parameter, i) => {
    if (!(parameter instanceof Parameter)) throw new ValueError(op, `parameter ${i} is not a Parameter.`);
    if (parameter.dtype !== 'f32') {
      throw new DtypeError(op, `parameter ${i} is ${parameter.dtype}; it must be f32.`, {
        mend: "make it of f32; for products of f16 keep the weight in f32 and multiply by toF16(weight), as nn.linear does by { dtype: 'f16' }.",
      });
    }
    if (seen.has(parameter)) {
      throw new ValueError(op, `parameter '${parameter.name ?? i}' is listed twice.`, {
        mend: 'list a tied parameter once.',
      });
    }
    seen.add(parameter);
  });
}
