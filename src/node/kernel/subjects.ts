import type { Random } from '../../../test/support/random.js';
import type { LossDeclaration } from '../../custom/defineLoss.js';
import type { LossParameter } from '../../custom/lossArguments.js';
import {
  argmax,
  argmin,
  cumulativeSum,
  type HostArray,
  logSoftmax,
  logsumexp,
  losses,
  matmul,
  max,
  multiply,
  softmax,
  subtract,
  sum,
  type Tensor,
  tensor,
  toF16,
  transpose,
  vjp,
} from '../../index.js';
import type { WgslModule } from '../../kernels/wgslModule.js';

export type Sizes = readonly number[];

/** One way to use a kernel. */
export interface Use {
  readonly name: string;
  /** Data of these sizes. */
  readonly inputs: (sizes: Sizes, draw: Random) => HostArray[];
  readonly apply: (...inputs: Tensor[]) => Tensor[];
  /** The same in ops that the reference knows; default `apply` itself. */
  readonly reference?: (...inputs: Tensor[]) => Tensor[];
  /** What the result may be off by, of its largest element: where the reference takes another way than the kernel. */
  readonly relative?: number;
}

/** A kernel file that the command knows how to run. */
export interface Subject {
  /** What its sizes are called. */
  readonly axes: readonly string[];
  /** Around the edges of tiles and workgroups; all are checked against the reference. */
  readonly edges: readonly Sizes[];
  /** Timed when none are asked for. */
  readonly sweep: readonly Sizes[];
  readonly uses: readonly Use[];
}

const drawnBy =
  (one: (r: Random) => number) =>
  (shape: Sizes, draw: Random): HostArray => ({
    data: draw.floats(
      shape.reduce((size, length) => size * length, 1),
      one,
    ),
    shape,
  });

const normal = drawnBy((r) => r.normal());
/** Numbers that f16 holds. */
const halves = drawnBy((r) => r.integer(-512, 512) / 256);

function product(name: string, leftTransposed: boolean, rightTransposed: boolean, dtype: 'f32' | 'f16' = 'f32'): Use {
  const drawn = dtype === 'f16' ? halves : normal;
  const of = (stored: (x: Tensor) => Tensor) => (a?: Tensor, b?: Tensor) => {
    const [left, right] = [stored(a as Tensor), stored(b as Tensor)];
    return [matmul(leftTransposed ? transpose(left) : left, rightTransposed ? transpose(right) : right)];
  };
  const plain = of((x) => x);
  return {
    name,
    inputs: ([rows = 1, inner = 1, columns = 1], draw) => [
      drawn(leftTransposed ? [inner, rows] : [rows, inner], draw),
      drawn(rightTransposed ? [columns, inner] : [inner, columns], draw),
    ],
    ...(dtype === 'f16' ? { apply: of(toF16), reference: plain } : { apply: plain }),
  };
}

const products: Subject = {
  axes: ['rows', 'inner', 'columns'],
  edges: [
    [1, 1, 1],
    [3, 7, 9],
    [17, 33, 31],
    [64, 64, 64],
    [65, 129, 63],
    [127, 1, 130],
    [128, 784, 10],
    [36, 20, 12],
    [20, 4, 68],
  ],
  sweep: [
    [256, 256, 256],
    [512, 512, 512],
    [1000, 333, 777],
    [128, 784, 128],
    [128, 784, 10],
  ],
  uses: [product('nn', false, false), product('nt', false, true), product('tn', true, false)],
};

/** A row on the left, or a column on the right. */
const vectorProducts: Subject = {
  ...products,
  edges: [
    [1, 1, 1],
    [1, 33, 17],
    [17, 33, 1],
    [1, 129, 300],
    [300, 129, 1],
  ],
  sweep: [
    [1, 1024, 1024],
    [1024, 1024, 1],
    [1, 784, 128],
  ],
};

/** Of f16, which adapters with small matrices multiply. */
const halfProducts: Subject = {
  ...products,
  uses: [product('nn', false, false, 'f16'), product('nt', false, true, 'f16'), product('tn', true, false, 'f16')],
};

const ofRows = (name: string, apply: (x: Tensor) => Tensor): Use => ({
  name,
  inputs: (sizes, draw) => [normal(sizes, draw)],
  apply: (x) => [apply(x as Tensor)],
});

/** Kernels over the rows of a matrix. */
const overRows = (...uses: readonly Use[]): Subject => ({
  axes: ['rows', 'columns'],
  edges: [
    [1, 1],
    [3, 33],
    [65, 100],
    [2, 600],
    [16, 1025],
    [1025, 16],
    [2, 9001],
    [5000, 3],
  ],
  sweep: [
    [4096, 10],
    [4096, 1000],
    [128, 8192],
    [8, 100_000],
  ],
  uses,
});

const reductions = overRows(
  ofRows('sum', (x) => sum(x, { axes: -1 })),
  ofRows('sum by columns', (x) => sum(x, { axes: 0 })),
  ofRows('max', (x) => max(x, { axes: -1 })),
);
const columnSums = overRows(ofRows('sum by columns', (x) => sum(x, { axes: 0 })));
const leaders = overRows(
  ofRows('argmax', (x) => argmax(x, -1)),
  ofRows('argmin', (x) => argmin(x, -1)),
);
const running = overRows(
  ofRows('cumulativeSum', (x) => cumulativeSum(x)),
  ofRows('reversed', (x) => cumulativeSum(x, -1, { reverse: true })),
);
const softmaxes = overRows(
  ofRows('softmax', (x) => softmax(x)),
  ofRows('logSoftmax', (x) => logSoftmax(x)),
  ofRows('logsumexp', (x) => logsumexp(x, { axes: -1 })),
);

/** Some dozens of roundings of 6e-8 by the kernel's way and by the formula's. */
const LOSS_TOLERANCE = 2e-5;

type RowLoss = ((logits: Tensor, labels: Tensor, options: { reduction: 'none' }) => Tensor) & {
  readonly declaration: LossDeclaration<Record<string, LossParameter>>;
};

/** Values and gradients of the rows, against the loss's definition and its derivative. */
function rowLoss(loss: RowLoss): Subject {
  const { definition, parameters = {} } = loss.declaration;
  const withGradient = (values: Tensor, logits: Tensor, cotangents: Tensor) => [
    values,
    vjp(values, logits, cotangents) as Tensor,
  ];
  const use: Use = {
    name: 'value and gradient',
    inputs: ([rows = 1, classes = 1], draw) => [
      normal([rows, classes], draw),
      { data: Int32Array.from({ length: rows }, () => draw.below(classes)), shape: [rows] },
      normal([rows], draw),
    ],
    apply: (logits, labels, cotangents) =>
      withGradient(
        loss(logits as Tensor, labels as Tensor, { reduction: 'none' }),
        logits as Tensor,
        cotangents as Tensor,
      ),
    reference: (logits, labels, cotangents) => {
      if (definition === undefined) throw new Error(`${loss.declaration.name} has no definition to check it by`);
      const defaults = Object.entries(parameters).map(([name, { default: value }]) => [name, tensor(value)] as const);
      const values = definition(logits as Tensor, labels as Tensor, Object.fromEntries(defaults));
      return withGradient(values, logits as Tensor, cotangents as Tensor);
    },
    relative: LOSS_TOLERANCE,
  };
  return overRows(use);
}

const squaredError = overRows({
  name: 'value and gradient',
  inputs: (sizes, draw) => [normal(sizes, draw), normal(sizes, draw)],
  apply: (predictions, targets) => {
    const loss = losses.meanSquaredError(predictions as Tensor, targets as Tensor, { reduction: 'sum' });
    return [loss, vjp(loss, predictions as Tensor, tensor(1)) as Tensor];
  },
  reference: (predictions, targets) => {
    const apart = subtract(predictions as Tensor, targets as Tensor);
    return [sum(multiply(apart, apart)), multiply(apart, 2)];
  },
  relative: LOSS_TOLERANCE,
});

/** Those with a file of their own: cross-entropy is compSum.wgsl at tau = 1. */
const rowLosses = Object.entries(losses).flatMap(([name, loss]) => {
  const file = `losses/${name}`;
  if (!('declaration' in loss) || (loss.declaration.wgsl as WgslModule).name !== file) return [];
  return [[`${file}.wgsl`, rowLoss(loss as unknown as RowLoss)] as const];
});

/** The kernel files that can be checked, by their path under shaders/. */
export const subjects: ReadonlyMap<string, Subject> = new Map([
  ['matmul/quad.wgsl', products],
  ['matmul/quadHeld.wgsl', products],
  ['matmul/quadPacked.wgsl', products],
  ['matmul/vector.wgsl', vectorProducts],
  ['matmul/subgroupMatrix.wgsl', halfProducts],
  ['matmul/register.wgsl', products],
  ['matmul/blocked.wgsl', products],
  ['reduce/serial.wgsl', reductions],
  ['reduce/columns.wgsl', columnSums],
  ['reduce/workgroup.wgsl', reductions],
  ['reduce/argument.wgsl', leaders],
  ['reduce/argumentWorkgroup.wgsl', leaders],
  ['reduce/cumulative.wgsl', running],
  ['reduce/cumulativeWorkgroup.wgsl', running],
  ['softmax/serial.wgsl', softmaxes],
  ['softmax/workgroup.wgsl', softmaxes],
  ['losses/rowHostLong.wgsl', rowLoss(losses.compSum as unknown as RowLoss)],
  ['losses/rowHostShort.wgsl', rowLoss(losses.compSum as unknown as RowLoss)],
  ['losses/squaredError.wgsl', squaredError],
  ...rowLosses,
]);
