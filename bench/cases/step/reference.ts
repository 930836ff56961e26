import { type Problem, RULES } from './problem.js';

interface Layer64 {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Float64Array<ArrayBuffer>;
  readonly bias: Float64Array<ArrayBuffer>;
}

/** The same training in float64, by hand: the loss before the last step's update, and the parameters after it. */
export function trainInFloat64(problem: Problem, steps: number): { loss: number; layers: readonly Layer64[] } {
  const { batch } = problem;
  const layers = problem.layers.map(({ weight, bias, ...sizes }) => ({
    ...sizes,
    weight: Float64Array.from(weight),
    bias: Float64Array.from(bias),
  }));
  const descend = { momentum: momentum(), adamw: adam() }[problem.rule];
  let loss = Number.NaN;
  for (let step = 0; step < steps; step++) {
    const activations = [Float64Array.from(problem.images)];
    for (const [i, layer] of layers.entries()) {
      activations.push(forward(activations[i] as Float64Array, layer, batch, i < layers.length - 1));
    }
    const output = softmaxCrossEntropy(activations.at(-1) as Float64Array, problem.labels, batch);
    loss = output.loss;
    let cotangent = output.gradient;
    for (const [i, layer] of [...layers.entries()].reverse()) {
      const input = activations[i] as Float64Array;
      const weightGradient = productOfTransposed(input, cotangent, batch, layer.inputs, layer.outputs);
      const biasGradient = new Float64Array(layer.outputs);
      for (const [at, value] of cotangent.entries()) add(biasGradient, at % layer.outputs, value);
      if (i > 0) cotangent = backward(cotangent, layer, input, batch);
      descend(layer.weight, weightGradient, step + 1);
      descend(layer.bias, biasGradient, step + 1);
    }
  }
  return { loss, layers };
}

function add(values: Float64Array, at: number, value: number): void {
  values[at] = (values[at] ?? 0) + value;
}

function forward(input: Float64Array, layer: Layer64, batch: number, relu: boolean) {
  const { inputs, outputs, weight, bias } = layer;
  const output = new Float64Array(batch * outputs);
  for (let row = 0; row < batch; row++) {
    const sums = output.subarray(row * outputs, (row + 1) * outputs);
    sums.set(bias);
    for (let k = 0; k < inputs; k++) {
      const factor = input[row * inputs + k] ?? 0;
      for (let j = 0; j < outputs; j++) add(sums, j, factor * (weight[k * outputs + j] ?? 0));
    }
    if (relu) for (let j = 0; j < outputs; j++) sums[j] = Math.max(sums[j] ?? 0, 0);
  }
  return output;
}

function softmaxCrossEntropy(logits: Float64Array, labels: Uint32Array, batch: number) {
  const classes = logits.length / batch;
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  for (let row = 0; row < batch; row++) {
    const values = logits.subarray(row * classes, (row + 1) * classes);
    const most = Math.max(...values);
    const sum = values.reduce((total, value) => total + Math.exp(value - most), 0);
    const label = labels[row] ?? 0;
    loss += most + Math.log(sum) - (values[label] ?? 0);
    values.forEach((value, j) => {
      gradient[row * classes + j] = (Math.exp(value - most) / sum - Number(j === label)) / batch;
    });
  }
  return { loss: loss / batch, gradient };
}

/** input' cotangent: [inputs, outputs] */
function productOfTransposed(
  input: Float64Array,
  cotangent: Float64Array,
  batch: number,
  inputs: number,
  outputs: number,
) {
  const product = new Float64Array(inputs * outputs);
  for (let row = 0; row < batch; row++) {
    for (let k = 0; k < inputs; k++) {
      const factor = input[row * inputs + k] ?? 0;
      if (factor === 0) continue;
      for (let j = 0; j < outputs; j++) add(product, k * outputs + j, factor * (cotangent[row * outputs + j] ?? 0));
    }
  }
  return product;
}

/** cotangent weight', where the relu that made `input` let it through. */
function backward(cotangent: Float64Array, layer: Layer64, input: Float64Array, batch: number) {
  const { inputs, outputs, weight } = layer;
  const result = new Float64Array(batch * inputs);
  for (let row = 0; row < batch; row++) {
    for (let k = 0; k < inputs; k++) {
      if ((input[row * inputs + k] ?? 0) <= 0) continue;
      let sum = 0;
      for (let j = 0; j < outputs; j++) sum += (cotangent[row * outputs + j] ?? 0) * (weight[k * outputs + j] ?? 0);
      result[row * inputs + k] = sum;
    }
  }
  return result;
}

type Descent = (values: Float64Array, gradient: Float64Array, count: number) => void;

function momentum(): Descent {
  const { learningRate, momentum: kept } = RULES.momentum;
  const velocities = new Map<Float64Array, Float64Array>();
  return (values, gradient) => {
    const velocity = stateOf(velocities, values);
    for (let i = 0; i < values.length; i++) {
      const moved = kept * (velocity[i] ?? 0) + (gradient[i] ?? 0);
      velocity[i] = moved;
      add(values, i, -learningRate * moved);
    }
  };
}

function adam(): Descent {
  const { learningRate, beta1, beta2, epsilon } = RULES.adamw;
  const firsts = new Map<Float64Array, Float64Array>();
  const seconds = new Map<Float64Array, Float64Array>();
  return (values, gradient, count) => {
    const first = stateOf(firsts, values);
    const second = stateOf(seconds, values);
    for (let i = 0; i < values.length; i++) {
      const g = gradient[i] ?? 0;
      const m = beta1 * (first[i] ?? 0) + (1 - beta1) * g;
      const v = beta2 * (second[i] ?? 0) + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      const direction = m / (1 - beta1 ** count) / (Math.sqrt(v / (1 - beta2 ** count)) + epsilon);
      add(values, i, -learningRate * direction);
    }
  };
}

function stateOf(states: Map<Float64Array, Float64Array>, values: Float64Array): Float64Array {
  const state = states.get(values) ?? new Float64Array(values.length);
  states.set(values, state);
  return state;
}
