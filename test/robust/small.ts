import { nn, type Parameter, tensor } from '../../src/index.js';
import { type Random, random } from '../support/random.js';

/** A net of one hidden layer in float64, written out by hand: tanh, so that it is smooth. */
export interface SmallNet {
  readonly sizes: readonly [inputs: number, hidden: number, classes: number];
  readonly w1: Float32Array;
  readonly b1: Float32Array;
  readonly w2: Float32Array;
  readonly b2: Float32Array;
}

export function smallNet([inputs, hidden, classes]: SmallNet['sizes'], seed: number): SmallNet {
  const draw = random(seed);
  const floats = (size: number, scale: number) => draw.floats(size, ({ normal }) => scale * normal());
  return {
    sizes: [inputs, hidden, classes],
    w1: floats(inputs * hidden, 1.5 / Math.sqrt(inputs)),
    b1: floats(hidden, 0.3),
    w2: floats(hidden * classes, 2 / Math.sqrt(hidden)),
    b2: floats(classes, 0.3),
  };
}

/** The net with biases that make its logits 0 on average over some examples, so that it gives each class to some. */
export function balanced(net: SmallNet, rows: readonly number[][]): SmallNet {
  const logits = rows.map((row) => logitsOf(net, row));
  const mean = (j: number) => logits.reduce((sum, z) => sum + at(z, j), 0) / rows.length;
  return { ...net, b2: net.b2.map((one, j) => one - mean(j)) };
}

/** The same net as a model. */
export function modelOf({ sizes: [inputs, hidden, classes], w1, b1, w2, b2 }: SmallNet): nn.Module {
  const model = nn.sequential(nn.linear(inputs, hidden), nn.tanh(), nn.linear(hidden, classes));
  const values = [
    { data: w1, shape: [inputs, hidden] },
    { data: b1, shape: [hidden] },
    { data: w2, shape: [hidden, classes] },
    { data: b2, shape: [classes] },
  ];
  model.parameters().forEach((parameter: Parameter, i) => {
    const { data, shape } = values[i] as { data: Float32Array; shape: number[] };
    parameter.assign(tensor(data, { shape }));
  });
  return model;
}

const at = (data: ArrayLike<number>, i: number): number => data[i] ?? Number.NaN;

function hiddenOf({ sizes: [inputs, hidden], w1, b1 }: SmallNet, x: ArrayLike<number>): number[] {
  return Array.from({ length: hidden }, (_, k) => {
    let sum = at(b1, k);
    for (let i = 0; i < inputs; i++) sum += at(x, i) * at(w1, i * hidden + k);
    return Math.tanh(sum);
  });
}

export function logitsOf(net: SmallNet, x: ArrayLike<number>): number[] {
  const [, hidden, classes] = net.sizes;
  const h = hiddenOf(net, x);
  return Array.from({ length: classes }, (_, j) => {
    let sum = at(net.b2, j);
    for (let k = 0; k < hidden; k++) sum += at(h, k) * at(net.w2, k * classes + j);
    return sum;
  });
}

/** The gradient by the input, from that by the logits. */
export function inputGradient(net: SmallNet, x: ArrayLike<number>, byLogits: readonly number[]): number[] {
  const [inputs, hidden, classes] = net.sizes;
  const back = hiddenOf(net, x).map((h, k) => {
    let sum = 0;
    for (let j = 0; j < classes; j++) sum += at(net.w2, k * classes + j) * at(byLogits, j);
    return sum * (1 - h * h);
  });
  return Array.from({ length: inputs }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < hidden; k++) sum += at(net.w1, i * hidden + k) * at(back, k);
    return sum;
  });
}

export function softmaxOf(z: readonly number[]): number[] {
  const m = Math.max(...z);
  const e = z.map((one) => Math.exp(one - m));
  const total = e.reduce((a, b) => a + b, 0);
  return e.map((one) => one / total);
}

/** Value and gradient by the logits of each objective. */
export const objectives = {
  crossEntropy: (z: readonly number[], y: number) => {
    const p = softmaxOf(z);
    return { value: -Math.log(at(p, y)), gradient: p.map((one, j) => one - Number(j === y)) };
  },
  logitMargin: (z: readonly number[], y: number) => {
    const rival = rivalOf(z, y);
    return { value: at(z, rival) - at(z, y), gradient: z.map((_, j) => Number(j === rival) - Number(j === y)) };
  },
  probabilityMargin: (z: readonly number[], y: number) => {
    const p = softmaxOf(z);
    const rival = rivalOf(z, y);
    const [pr, py] = [at(p, rival), at(p, y)];
    const gradient = p.map((pj, j) => pr * (Number(j === rival) - pj) - py * (Number(j === y) - pj));
    return { value: pr - py, gradient };
  },
};

export function rivalOf(z: readonly number[], y: number): number {
  return z.reduce((best, one, j) => (j !== y && (best === y || one > at(z, best)) ? j : best), y === 0 ? 1 : 0);
}

export interface Examples {
  readonly data: Float32Array;
  readonly labels: Uint32Array;
  readonly rows: number[][];
}

export function examplesOf(count: number, inputs: number, classes: number, seed: number): Examples {
  const draw: Random = random(seed);
  const data = draw.floats(count * inputs, ({ unit }) => unit());
  const labels = Uint32Array.from({ length: count }, () => draw.below(classes));
  const rows = Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * inputs, (i + 1) * inputs)));
  return { data, labels, rows };
}
