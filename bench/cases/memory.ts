import { type Runtime, runtimeInUse, setRuntime } from '../../src/graph/runtime.js';
import { createEngine } from '../../src/index.js';
import type { Contender } from '../case.js';
import { ours } from './step/ours.js';
import { LARGE, MIDDLE, type TrainingStep, trainingStep } from './step.js';

/** Bytes of GPU memory that a training step holds, by each engine's own counters: once it runs steadily, or at most. */
function memoryOfStep(which: 'held' | 'peak', size: Pick<TrainingStep, 'widths' | 'batch'>) {
  return trainingStep({
    ...size,
    name: `memory/${size.widths.join('-')}-${which}`,
    figure: {
      unit: 'bytes',
      of: async ({ memory }) => {
        if (memory === undefined) throw new Error('it has no counter of memory.');
        return (await memory())[which];
      },
    },
    // jax-js has no counter.
    peers: ['by-hand', 'tfjs'],
    ours: (problem) => alone(() => ours(problem)),
  });
}

/** In an engine of its own, whose counters know of nothing else. */
export async function alone(make: () => Promise<Contender>): Promise<Contender> {
  const before = runtimeInUse() as Runtime;
  const engine = (await createEngine()).use();
  const contender = await make();
  return {
    ...contender,
    dispose: () => {
      engine.destroy();
      setRuntime(before);
    },
  };
}

export const memoryCases = [MIDDLE, LARGE].flatMap((size) => [memoryOfStep('held', size), memoryOfStep('peak', size)]);
