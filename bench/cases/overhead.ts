import { explain, grad, losses, type Tensor, tensor } from '../../src/index.js';
import { type Case, type Contender, defineCase, type Figure } from '../case.js';
import { dispatchOverhead, emptyStep } from './overhead/smallSteps.js';
import { network } from './step/ours.js';
import { makeProblem, type Problem } from './step/problem.js';
import { MIDDLE, SMALL, trainingStep } from './step.js';

/** So few that neither Chrome's command buffer nor the GPU's queue fills up and holds the host back. */
const STEPS = 8;
const BURSTS = 8;

/** µs of the host for a step: all that `run` does, the GPU's work apart. The best burst, for the GPU shares the cores. */
const encode: Figure = {
  unit: 'us',
  of: async ({ run, settle }) => {
    let best = Number.POSITIVE_INFINITY;
    for (let burst = 0; burst < BURSTS; burst++) {
      await settle();
      const start = performance.now();
      for (let i = 0; i < STEPS; i++) run();
      best = Math.min(best, performance.now() - start);
    }
    await settle();
    return (1000 * best) / STEPS;
  },
};

/** Bytes of JavaScript's heap that a step leaves to the collector. */
const garbage: Figure = {
  unit: 'bytes',
  of: async ({ run, settle }) => {
    await settle();
    globalThis.gc?.();
    const before = heapSize();
    for (let i = 0; i < STEPS; i++) run();
    const after = heapSize();
    await settle();
    return (after - before) / STEPS;
  },
};

/** Exact, for the browser is started with --enable-precise-memory-info. */
function heapSize(): number {
  const { memory } = performance as { memory?: { usedJSHeapSize: number } };
  if (memory === undefined || globalThis.gc === undefined) throw new Error('this browser does not tell of its heap.');
  return memory.usedJSHeapSize;
}

function hostCost(figure: Figure, what: string, size: typeof SMALL): Case {
  const name = `overhead/${what}-${size.widths.join('-')}`;
  return trainingStep({ ...size, name, figure, peers: ['by-hand'] });
}

/** Something of ours that computes nothing on the GPU, so that there is nothing to compare. */
function hostOnly(
  name: string,
  contender: () => Promise<Pick<Contender, 'run'> & Partial<Contender>>,
  figure?: Figure,
) {
  return defineCase<undefined>({
    name,
    ...(figure === undefined ? {} : { figure }),
    repeatable: false,
    inputs: () => undefined,
    reference: () => ({}),
    tolerance: () => ({ largest: 0, why: 'nothing is computed' }),
    ours: async () => ({
      settle: async () => undefined,
      results: async () => ({}),
      dispose: () => undefined,
      ...(await contender()),
    }),
    peers: {},
  });
}

/** Value and gradients of the network as a function of a batch. */
async function lossAndGradients(problem: Problem) {
  const { images, labels, batch, features } = problem;
  const { model, parameters } = network(problem);
  const x = tensor(images, { shape: [batch, features] });
  const y = tensor(labels);
  await Promise.all([x.data(), y.data(), ...parameters.map((parameter) => parameter.data())]);
  const body = (x: Tensor, y: Tensor) => {
    const loss = losses.crossEntropy(model(x), y);
    return [loss, ...grad(loss, parameters)];
  };
  const dispose = () => {
    for (const each of [x, y, ...parameters]) each.dispose();
  };
  return { x, y, body, dispose };
}

const name = MIDDLE.widths.join('-');
const problem = () => makeProblem({ ...MIDDLE, rule: 'momentum' }, 0);

export const overheadCases: readonly Case[] = [
  dispatchOverhead,
  emptyStep,
  hostCost(encode, 'encode', SMALL),
  hostCost(encode, 'encode', MIDDLE),
  hostCost(garbage, 'garbage', SMALL),
  hostCost(garbage, 'garbage', MIDDLE),
  // Ops called outside compile only build the graph.
  hostOnly(`overhead/trace-${name}`, async () => {
    const { x, y, body, dispose } = await lossAndGradients(problem());
    return { run: () => void body(x, y), dispose };
  }),
  // The trace once more, then fusion, buffers and WGSL; pipelines are not made.
  hostOnly(`overhead/plan-${name}`, async () => {
    const { x, y, body, dispose } = await lossAndGradients(problem());
    return { run: () => void explain(body, x, y), dispose };
  }),
  hostOnly(`overhead/first-step-${name}`, async () => ({ run: () => undefined }), {
    unit: 'ms',
    of: () => globalThis.timeColdPage(),
  }),
];
