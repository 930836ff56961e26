import { nn, tensor } from '../../../src/index.js';
import { symmetric, uniform } from '../../random.js';

/** A layer of `outputs` from `inputs`, both `[size, size, channels]`; the last one takes all and has a size of 1. */
interface Layer {
  readonly from: number;
  readonly inputs: number;
  readonly size: number;
  readonly outputs: number;
  readonly stride: number;
  /** Taps along each axis; the image is padded by one on every side, but for the last layer. */
  readonly window: number;
}

/** Two convolutions and a linear layer, with tanh between: smooth, so that float32 takes float64's path. */
const LAYERS: readonly Layer[] = [
  { from: 14, inputs: 1, size: 14, outputs: 8, stride: 1, window: 3 },
  { from: 14, inputs: 8, size: 7, outputs: 16, stride: 2, window: 3 },
  { from: 7, inputs: 16, size: 1, outputs: 10, stride: 1, window: 7 },
];

export const IMAGE = [14, 14, 1] as const;
export const PIXELS = 14 * 14;
export const BATCH = 32;

/** Weights `[window, window, inputs, outputs]` of each layer; biases are 0. */
type Weights = readonly Float32Array<ArrayBuffer>[];

export interface Victim {
  /** `[BATCH, ...IMAGE]` */
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Uint32Array<ArrayBuffer>;
  readonly weights: Weights;
}

export function makeVictim(seed: number): Victim {
  const draw = uniform(1000 * seed + 1);
  return {
    images: Float32Array.from({ length: BATCH * PIXELS }, draw),
    labels: Uint32Array.from({ length: BATCH }, () => Math.floor(draw() * 10)),
    weights: LAYERS.map(({ window, inputs, outputs }, i) => {
      const fanIn = window * window * inputs;
      return symmetric(fanIn * outputs, Math.sqrt(3 / fanIn), 1000 * seed + 2 + i);
    }),
  };
}

/** The same network on the GPU. */
export function networkOf({ weights }: Victim): nn.Module {
  const model = nn.sequential(
    nn.conv2d(1, 8, 3, { padding: 1, bias: false }),
    nn.tanh(),
    nn.conv2d(8, 16, 3, { padding: 1, stride: 2, bias: false }),
    nn.tanh(),
    nn.flatten(),
    nn.linear(7 * 7 * 16, 10, { bias: false }),
  );
  const parameters = model.parameters();
  for (const [i, weight] of weights.entries()) parameters[i]?.assign(tensor(weight, { shape: parameters[i].shape }));
  return model;
}

/** Calls `visit` for each product of a layer: which input, weight and output it joins. */
function connect(layer: Layer, visit: (input: number, weight: number, output: number) => void): void {
  const { from, inputs, size, outputs, stride, window } = layer;
  const padding = size === 1 ? 0 : 1;
  for (let place = 0; place < size * size; place++) {
    for (let tap = 0; tap < window * window; tap++) {
      const row = stride * Math.floor(place / size) + Math.floor(tap / window) - padding;
      const column = stride * (place % size) + (tap % window) - padding;
      if (row < 0 || row >= from || column < 0 || column >= from) continue;
      for (let c = 0; c < inputs; c++) {
        const input = (row * from + column) * inputs + c;
        for (let o = 0; o < outputs; o++) visit(input, (tap * inputs + c) * outputs + o, place * outputs + o);
      }
    }
  }
}

/** The gradient of an image's cross-entropy by its pixels, in float64. */
export function imageGradient(weights: Weights, image: Float64Array, label: number): Float64Array {
  const values = [image];
  LAYERS.forEach((layer, i) => {
    const [x, w] = [values[i] as Float64Array, weights[i] as Float32Array];
    const y = new Float64Array(layer.size ** 2 * layer.outputs);
    connect(layer, (input, weight, output) => {
      y[output] = (y[output] ?? 0) + (x[input] ?? 0) * (w[weight] ?? 0);
    });
    values.push(i < LAYERS.length - 1 ? y.map(Math.tanh) : y);
  });
  const logits = values.at(-1) as Float64Array;
  const top = logits.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, z) => sum + Math.exp(z - top), 0);
  let slope = logits.map((z, j) => Math.exp(z - top) / total - Number(j === label));
  for (let i = LAYERS.length - 1; i >= 0; i--) {
    const [x, w, above] = [values[i] as Float64Array, weights[i] as Float32Array, slope];
    const below = new Float64Array(x.length);
    connect(LAYERS[i] as Layer, (input, weight, output) => {
      below[input] = (below[input] ?? 0) + (above[output] ?? 0) * (w[weight] ?? 0);
    });
    // The values of inner layers are those of tanh, whose slope they give.
    slope = i === 0 ? below : below.map((one, k) => one * (1 - (x[k] ?? 0) ** 2));
  }
  return slope;
}
