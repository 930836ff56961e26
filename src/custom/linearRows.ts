import type { Lowering, LoweringContext } from '../graph/lowering.js';
import type { Access, Attributes, KernelOp } from '../graph/op.js';
import { Tensor } from '../graph/tensor.js';
import { first, type Variant, type VariantQuestion } from '../kernels/variants.js';
import { add } from '../ops/arithmetic.js';
import { acceptsMatrix, type MatrixLayout, matrixLayoutOf } from '../ops/matmul/layout.js';
import { lowerProduct } from '../ops/matmul/product.js';
import { FLOATS, matmulShape } from '../ops/matmul/shape.js';
import { matmulVariants } from '../ops/matmul/variants.js';
import { matmul } from '../ops/matmul.js';
import { gradientsBy, secondGradients } from './derived.js';
import { lowerRows, type RowLoss } from './rowLoss.js';

/** Logits held at a time, and as many gradients: 16 MiB each. */
const CHUNK_ELEMENTS = 2 ** 22;

/** The value of each row of `hidden weight + bias`; inputs are these three (or two), the operands and the parameters. */
type LinearRows = (inputs: readonly Tensor[], attributes: Attributes) => Tensor;

const biased = new WeakMap<RowLoss, LinearRows>();
const unbiased = new WeakMap<RowLoss, LinearRows>();

/** A row loss behind a linear layer, its logits made chunk by chunk of rows and never stored whole. */
export function linearRows(rows: RowLoss, isBiased: boolean): LinearRows {
  // A loss's ops are made once: equal graphs have equal plans.
  const made = isBiased ? biased : unbiased;
  let linear = made.get(rows);
  if (linear === undefined) {
    linear = linearOps(rows, isBiased);
    made.set(rows, linear);
  }
  return linear;
}

const STORE_ROWS = storeHook('result[(sizes.firstRow + row) * sizes.columns + column] = value;');
const STORE_BIASED = storeHook('result[row * sizes.columns + column] = value + bias[column];');
// The first chunk writes, the others add: every row's share comes in order.
const STORE = storeHook('result[row * sizes.columns + column] = value;');
const ADD = storeHook('result[row * sizes.columns + column] += value;');
const RESULT = { name: 'result', access: 'read_write', type: 'array<f32>' } as const;
const SUMS = { name: 'sums', access: 'read_write', type: 'array<f32>' } as const;
const BIAS = { name: 'bias', access: 'read', type: 'array<f32>' } as const;

function storeHook(statement: string): string {
  return `fn store_result(batch: u32, row: u32, column: u32, value: f32) { ${statement} }`;
}

function linearOps(rows: RowLoss, isBiased: boolean): LinearRows {
  const { parts, kind } = rows;
  const own = isBiased ? ['hidden', 'weight', 'bias'] : ['hidden', 'weight'];
  const others = [...kind.operands, ...parts.parameters];
  const name = `${parts.name}${kind.name}.linear`;
  const shared = own.length + others.length;
  const access: Access[] = [
    'strided',
    'strided',
    ...(isBiased ? (['contiguous'] as const) : []),
    ...others.map(() => 'fused' as const),
  ];
  const common = {
    kind: 'kernel',
    acceptsView: acceptsMatrix,
    family: name,
    apart: true,
    // The loss's kernel: logits, gradients, values, complaints.
    buffersBeside: 4,
  } as const;

  /** In public ops, which store the logits. */
  const defined = (inputs: readonly Tensor[], attributes: Attributes, what: string) => {
    const [hidden, weight, bias] = inputs as [Tensor, Tensor, Tensor];
    const product = matmul(hidden, weight);
    const logits = isBiased ? add(product, bias) : product;
    return kind.defined([logits, ...inputs.slice(own.length)], attributes, what);
  };

  const valueOp: KernelOp = {
    ...common,
    name: `${name}.value`,
    access,
    vjp: ({ cotangent, inputs, attributes, needs }) => {
      const wanted = others.flatMap((_, i) => (needs[own.length + i] === true ? [own.length + i] : []));
      const gradients: (Tensor | undefined)[] = own.map((_, i) =>
        needs[i] === true
          ? new Tensor(
              gradientOps[i] as KernelOp,
              [...inputs, cotangent],
              (inputs[i] as Tensor).shape,
              'f32',
              attributes,
            )
          : undefined,
      );
      if (wanted.length > 0) {
        const values = defined(inputs, attributes, `the gradient by ${others[(wanted[0] ?? 0) - own.length]}`);
        const rest = gradientsBy(values, inputs, wanted, cotangent);
        for (const i of wanted) gradients[i] = rest[i];
      }
      return gradients;
    },
    lower: (context) => lower(context),
  };

  const gradientOps = own.map(
    (_, at): KernelOp => ({
      ...common,
      name: `${name}.${own[at]}`,
      access: [...access, 'fused'],
      vjp: (context) =>
        secondGradients(defined(context.inputs.slice(0, -1), context.attributes, 'the second derivative'), at, context),
      lower: (context) => lower(context),
    }),
  );

  function lower({ node, nodes, device, viewOf }: LoweringContext): Lowering[] {
    const [hidden, weight, third] = node.inputs as [Tensor, Tensor, Tensor];
    const bias = isBiased ? third : undefined;
    const [of = 0, inputs = 0] = hidden.shape;
    const classes = weight.shape[1] ?? 0;
    const value = nodes.get(valueOp.name);
    const [byHidden, byWeight, byBias] = gradientOps.map((op) => nodes.get(op.name));
    const cotangent = (byHidden ?? byWeight ?? byBias)?.inputs.at(-1);
    const left = matrixLayoutOf(viewOf(hidden)) as MatrixLayout;
    const right = matrixLayoutOf(viewOf(weight)) as MatrixLayout;
    const size = chunkOf(of, classes);
    const bytes = 4 * size * classes;
    const logits = { key: 'logits', bytes };
    const gradients = { key: 'gradients', bytes };
    const product = (
      extents: { rows: number; columns: number; inner: number },
      a: MatrixLayout,
      b: MatrixLayout,
      hooks: Parameters<typeof lowerProduct>[4],
    ) => {
      const shape = matmulShape({ ...extents, batches: 1 }, a, b, FLOATS);
      return lowerProduct(shape, a, b, first(matmulVariants(device, shape).variants), hooks);
    };
    const lowerings: Lowering[] = [];
    for (let at = 0; at < of; at += size) {
      const count = Math.min(size, of - at);
      const chunk = { ...left, offset: left.offset + at * left.row };
      const slopes: MatrixLayout = { offset: 0, row: classes, column: 1, batch: 0 };
      lowerings.push(
        product({ rows: count, columns: classes, inner: inputs }, chunk, right, {
          reads: { a: hidden, b: weight, ...(bias && { bias }) },
          scratch: { result: logits },
          ...(bias && { extra: [RESULT, BIAS], replace: { store_result: STORE_BIASED } }),
        }),
        lowerRows(parts, kind, {
          device,
          attributes: node.attributes,
          inputs: node.inputs.slice(own.length, shared),
          cotangent,
          chunk: { first: at, rows: count, of, classes },
          host: firstOf(kind.variants(device, name, count, classes)),
          value,
          logits: undefined,
          gradient: undefined,
          scratch: cotangent === undefined ? { logits } : { logits, gradients },
        }),
      );
      if (byHidden !== undefined) {
        const transposed = { ...right, row: right.column, column: right.row };
        lowerings.push(
          product({ rows: count, columns: inputs, inner: classes }, slopes, transposed, {
            reads: { b: weight, result: byHidden },
            scratch: { a: gradients },
            extra: [RESULT],
            replace: { store_result: STORE_ROWS },
            firstRow: at,
          }),
        );
      }
      if (byWeight === undefined && byBias === undefined) continue;
      const turned = { ...chunk, row: chunk.column, column: chunk.row };
      const sum = `sums[column] ${at === 0 ? '=' : '+='} value;`;
      lowerings.push(
        product({ rows: inputs, columns: classes, inner: count }, turned, slopes, {
          reads: { a: hidden, ...(byWeight && { result: byWeight }), ...(byBias && { sums: byBias }) },
          // The sums come along with the weight's gradient, whether anybody wants that or not.
          scratch: { b: gradients, ...(!byWeight && { result: { key: 'byWeight', bytes: 4 * weight.size } }) },
          extra: byBias === undefined ? [RESULT] : [RESULT, SUMS],
          replace: {
            store_result: at === 0 ? STORE : ADD,
            ...(byBias && { store_sum: `fn store_sum(column: u32, value: f32) { ${sum} }` }),
          },
          sums: byBias !== undefined,
        }),
      );
    }
    return lowerings;
  }

  return (inputs, attributes) =>
    new Tensor(valueOp, inputs, (inputs[0] as Tensor).shape.slice(0, 1), 'f32', attributes);
}

function firstOf<V extends Variant>({ variants }: VariantQuestion<V>): V {
  return first(variants);
}

/** Rows of a chunk: as even as can be, in whole tiles. */
function chunkOf(rows: number, classes: number): number {
  const most = Math.max(32, 32 * Math.floor(CHUNK_ELEMENTS / Math.max(1, classes) / 32));
  const chunks = Math.max(1, Math.ceil(rows / most));
  return Math.max(1, Math.min(most, 32 * Math.ceil(rows / chunks / 32)));
}
