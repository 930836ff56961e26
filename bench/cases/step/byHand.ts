import type { Contender } from '../../case.js';
import { HandBuffers } from '../../peers/byHand/buffers.js';
import { type HandKernel, handDispatches, submitDispatches } from '../../peers/byHand/dispatch.js';
import type { HandGpu } from '../../peers/byHand/handGpu.js';
import { crossEntropyRows, type Hook, product } from '../../peers/byHand/kernels.js';
import { named, type Problem, RULES } from './problem.js';

/**
 * The step as one writes it for this network alone, with raw WebGPU calls: the library's kernels, everything fused
 * that can be, everything made before the first step. Three dispatches a layer: forward with bias and relu; the
 * gradient by its inputs with relu's mask, where the last layer has the rows' losses and gradients instead and the
 * first has none; weights and bias moved by momentum where their gradients are summed.
 * The mean of the rows' losses is left to whoever reads it.
 */
export async function byHand(device: HandGpu, problem: Problem): Promise<Contender> {
  const { gpu } = device;
  const { batch, classes } = problem;
  const buffers = new HandBuffers(gpu);
  const layers = problem.layers.map(({ weight, bias, ...sizes }) => ({
    ...sizes,
    weight: { values: buffers.of(weight), velocity: buffers.empty(weight.length) },
    bias: { values: buffers.of(bias), velocity: buffers.empty(bias.length) },
    output: buffers.empty(batch * sizes.outputs),
    cotangent: buffers.empty(batch * sizes.outputs),
  }));
  const images = buffers.of(problem.images);
  const labels = buffers.of(problem.labels);
  const losses = buffers.empty(batch);
  const inputOf = (i: number) => layers[i - 1]?.output ?? images;

  const kernels: HandKernel[] = layers.map(({ inputs, outputs, weight, bias, output }, i) =>
    product(device, {
      rows: batch,
      inner: inputs,
      columns: outputs,
      a: { buffer: inputOf(i) },
      b: { buffer: weight.values },
      store: forwardStore(output, bias.values, i < layers.length - 1),
    }),
  );
  const last = layers.at(-1) as (typeof layers)[number];
  kernels.push(
    crossEntropyRows(device, {
      rows: batch,
      classes,
      logits: last.output,
      labels,
      values: losses,
      gradients: last.cotangent,
    }),
  );
  for (const [i, { inputs, outputs, weight, bias, cotangent }] of [...layers.entries()].reverse()) {
    const below = layers[i - 1];
    // Before the weights move.
    if (below !== undefined) {
      const a = { buffer: cotangent };
      const b = { buffer: weight.values, transposed: true };
      const store = maskedStore(below.cotangent, below.output);
      kernels.push(product(device, { rows: batch, inner: outputs, columns: inputs, a, b, store }));
    }
    kernels.push(
      product(device, {
        rows: inputs,
        inner: batch,
        columns: outputs,
        a: { buffer: inputOf(i), transposed: true },
        b: { buffer: cotangent },
        store: momentumStore('store_result(batch: u32, row: u32, column: u32', 'row * sizes.columns + column', {
          weights: weight.values,
          weightVelocities: weight.velocity,
        }),
        storeSum: momentumStore('store_sum(column: u32', 'column', {
          biases: bias.values,
          biasVelocities: bias.velocity,
        }),
      }),
    );
  }
  const dispatches = await handDispatches(gpu, kernels);

  return {
    run: () => submitDispatches(gpu, dispatches),
    settle: async () => {
      await buffers.corner(losses);
    },
    results: async () => ({
      loss: [(await buffers.read(losses)).reduce((sum, loss) => sum + loss, 0) / batch],
      ...named(
        await Promise.all(
          layers.flatMap(({ weight, bias }) => [weight, bias]).map(({ values }) => buffers.read(values)),
        ),
      ),
    }),
    dispatches: () => dispatches.length,
    memory: async () => ({ held: buffers.bytes, peak: buffers.bytes }),
    dispose: () => buffers.destroy(),
  };
}

function forwardStore(result: GPUBuffer, bias: GPUBuffer, relu: boolean): Hook {
  const sum = 'value + bias[column]';
  return {
    code: `fn store_result(batch: u32, row: u32, column: u32, value: f32) {
      result[row * sizes.columns + column] = ${relu ? `max(${sum}, 0.0)` : sum};
    }`,
    buffers: { result, bias },
    extra: { bias: 'read' },
  };
}

/** Where the relu let it through. */
function maskedStore(result: GPUBuffer, activation: GPUBuffer): Hook {
  return {
    code: `fn store_result(batch: u32, row: u32, column: u32, value: f32) {
      let at = row * sizes.columns + column;
      result[at] = select(0.0, value, activation[at] > 0.0);
    }`,
    buffers: { result, activation },
    extra: { activation: 'read' },
  };
}

/** A gradient is used where it is made, and never stored. */
function momentumStore(signature: string, at: string, moved: Readonly<Record<string, GPUBuffer>>): Hook {
  const { learningRate, momentum } = RULES.momentum;
  const [values, velocities] = Object.keys(moved) as [string, string];
  return {
    code: `fn ${signature}, value: f32) {
      let at = ${at};
      let velocity = fma(${momentum}, ${velocities}[at], value);
      ${velocities}[at] = velocity;
      ${values}[at] -= ${learningRate} * velocity;
    }`,
    buffers: moved,
    extra: { [values]: 'read_write', [velocities]: 'read_write' },
  };
}
