import {
  add,
  compile,
  grad,
  losses,
  matmul,
  memory,
  Parameter,
  profile,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { type Case, type CaseDeclaration, type Contender, defineCase, type Figure } from '../case.js';
import { someOf, symmetric, uniform } from '../random.js';
import { alone } from './memory.js';

type Values = Float32Array<ArrayBuffer>;

interface Inputs {
  /** [rows, inputs] */
  readonly hidden: Values;
  /** [inputs, classes] */
  readonly weight: Values;
  /** [classes] */
  readonly bias: Values;
  /** [rows] */
  readonly labels: Uint32Array<ArrayBuffer>;
}

interface Size {
  readonly rows: number;
  readonly inputs: number;
  readonly classes: number;
}

/** The logits never stored whole; or, in the same engine, the product, then the loss. */
type Form = 'fused' | 'unfused';

/** Columns repeat after so many, so that float64 need not sum fifty thousand; no tile or chunk has such a width. */
const PERIOD = 257;
const WEIGHT = 0.25;
/** Rows of the hidden states' gradient, and columns of the weight's, that are computed in float64. */
const REFERENCE_LINES = 16;

/** Mean cross-entropy of `hidden weight + bias`: value, and gradient by all three. */
function linear(size: Size, given: Pick<CaseDeclaration<Inputs>, 'figure' | 'large'> & { name: string }): Case {
  const { rows, inputs, classes } = size;
  return defineCase<Inputs>({
    ...given,
    // The product, and its gradient by either operand.
    ...(given.figure === undefined ? { flops: 3 * 2 * rows * inputs * classes } : {}),
    repeatable: true,
    inputs: (seed) => {
      const draw = uniform(3 * seed + 11);
      return {
        hidden: symmetric(rows * inputs, 1, 3 * seed + 1),
        weight: repeated(symmetric(inputs * PERIOD, WEIGHT, 3 * seed + 2), classes),
        bias: repeated(symmetric(PERIOD, WEIGHT, 3 * seed + 3), classes),
        labels: Uint32Array.from({ length: rows }, () => Math.floor(draw() * classes)),
      };
    },
    reference: (values) => reference(values, size),
    tolerance: (result) => {
      if (result === 'loss') return { largest: 2e-5, why: 'a sum of so many rows of about 10, in f32' };
      // Sums of `terms` products with p - 1 or p, of which that with the label weighs most: at most `largest` by rows.
      const [terms, largest] = result === 'byHidden' ? [classes, WEIGHT] : [rows, 1];
      // Of equal terms one after another, the roundings are equal too, for the sum hardly changes: they repeat by periods.
      const repeats = result === 'byHidden' ? Math.ceil(classes / PERIOD) : 1;
      const unit = (2 ** -24 * largest) / rows;
      return {
        largest: (4 * repeats * Math.sqrt(terms / repeats) + 64) * unit,
        rootMeanSquare: (4 * Math.sqrt(terms) + 64) * unit,
        why: '4 sqrt(k) 2^-24 times the largest term, repeats apart; a logit of 256 products moves each by a few 2^-22',
      };
    },
    ours: (values) =>
      given.figure === undefined ? ours(values, size, 'fused') : alone(() => ours(values, size, 'fused')),
    peers: given.figure === undefined ? { plain: (_, values) => ours(values, size, 'unfused') } : {},
  });
}

async function ours(
  { hidden, weight, bias, labels }: Inputs,
  { rows, inputs, classes }: Size,
  form: Form,
): Promise<Contender> {
  const h = new Parameter(tensor(hidden, { shape: [rows, inputs] }));
  const w = new Parameter(tensor(weight, { shape: [inputs, classes] }));
  const b = new Parameter(tensor(bias));
  const target = tensor(labels);
  const step = compile(() => {
    const loss =
      form === 'fused'
        ? losses.linear(losses.crossEntropy, h, w, b, target)
        : losses.crossEntropy(add(matmul(h, w), b), target);
    const [byHidden, byWeight, byBias] = grad(loss, [h, w, b]) as [Tensor, Tensor, Tensor];
    return { loss, byHidden, byWeight, byBias };
  });
  await step.prepare();
  let result = step();
  return {
    run: () => {
      result = step();
    },
    settle: () => step.ready(),
    results: async () => {
      const read = Object.entries(result).map(async ([name, one]) => [name, await one.data()] as const);
      return Object.fromEntries(await Promise.all(read));
    },
    explain: () => step.explain(),
    profile: () => profile(step),
    memory: async () => {
      const { bytesInUse, highWater, held } = memory();
      return { held: bytesInUse, peak: highWater, temporaries: held.temporaries };
    },
    dispose: () => {
      step.dispose();
      for (const each of [h, w, b, target]) each.dispose();
    },
  };
}

/** Each row of `PERIOD` numbers again and again. */
function repeated(lines: Values, classes: number): Values {
  const count = lines.length / PERIOD;
  return Float32Array.from(
    { length: count * classes },
    (_, i) => lines[Math.floor(i / classes) * PERIOD + ((i % classes) % PERIOD)] ?? 0,
  );
}

/** The mean loss over all rows; the gradient by the hidden states in some rows, by weight and bias in some columns. */
function reference({ hidden, weight, bias, labels }: Inputs, { rows, inputs, classes }: Size) {
  const times = Float64Array.from({ length: PERIOD }, (_, j) => Math.ceil((classes - j) / PERIOD));
  const hiddenOf = (row: number, k: number) => hidden[row * inputs + k] ?? 0;
  const weightOf = (k: number, column: number) => weight[k * classes + column] ?? 0;
  const chances: Float64Array[] = [];
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const z = Float64Array.from({ length: PERIOD }, (_, j) => {
      let sum = bias[j] ?? 0;
      for (let k = 0; k < inputs; k++) sum += hiddenOf(row, k) * weightOf(k, j);
      return sum;
    });
    const maximum = z.reduce((a, c) => Math.max(a, c), Number.NEGATIVE_INFINITY);
    const sum = z.reduce((all, x, j) => all + (times[j] ?? 0) * Math.exp(x - maximum), 0);
    chances.push(z.map((x) => Math.exp(x - maximum) / sum));
    loss += (maximum + Math.log(sum) - (z[(labels[row] ?? 0) % PERIOD] ?? 0)) / rows;
  }
  const chanceOf = (row: number, column: number) => chances[row]?.[column % PERIOD] ?? 0;
  const slope = (row: number, column: number) => (chanceOf(row, column) - Number(labels[row] === column)) / rows;
  // A few columns that are some row's label, and as many of all.
  const columns = [...new Set([...someOf(classes, REFERENCE_LINES / 2), ...labels.subarray(0, REFERENCE_LINES / 2)])];
  const ks = [...Array(inputs).keys()];
  const elements = (pairs: readonly { at: number; value: number }[]) => ({
    at: Uint32Array.from(pairs, ({ at }) => at),
    values: Float64Array.from(pairs, ({ value }) => value),
  });
  const overRows = (term: (row: number) => number) => labels.reduce((sum, _, row) => sum + term(row), 0);
  const byHidden = someOf(rows, REFERENCE_LINES).flatMap((row) =>
    ks.map((k) => {
      const mean = times.reduce((sum, count, j) => sum + count * chanceOf(row, j) * weightOf(k, j), 0);
      return { at: row * inputs + k, value: (mean - weightOf(k, labels[row] ?? 0)) / rows };
    }),
  );
  const byWeight = columns.flatMap((column) =>
    ks.map((k) => ({
      at: k * classes + column,
      value: overRows((row) => hiddenOf(row, k) * slope(row, column)),
    })),
  );
  const byBias = columns.map((column) => ({ at: column, value: overRows((row) => slope(row, column)) }));
  return {
    loss: { values: [loss] },
    byHidden: elements(byHidden),
    byWeight: elements(byWeight),
    byBias: elements(byBias),
  };
}

/** Bytes that the step's plan holds for itself: neither inputs nor results. */
const temporaries: Figure = {
  unit: 'bytes',
  of: async ({ memory: counters }) => (await counters?.())?.temporaries ?? Number.NaN,
};

const nameOf = ({ rows, inputs, classes }: Size) => `${rows}x${inputs}x${classes}`;

/** Of two chunks, and a language model's. */
const SMALL: Size = { rows: 1024, inputs: 256, classes: 8192 };
const VOCABULARY: Size = { rows: 1024, inputs: 256, classes: 50257 };

export const linearCases: readonly Case[] = [
  linear(SMALL, { name: `linear/${nameOf(SMALL)}` }),
  linear(VOCABULARY, { name: `linear/${nameOf(VOCABULARY)}`, large: true }),
  linear(VOCABULARY, {
    name: `linear/${nameOf(VOCABULARY)}-temporaries`,
    large: true,
    figure: temporaries,
  }),
];
