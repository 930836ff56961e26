import { afterAll, expect, test } from 'vitest';
import { compile, createEngine, type Engine, sum, type Tensor } from '../../src/index.js';

const engines: Engine[] = [];
afterAll(async () => {
  for (const engine of engines) engine.destroy();
  await caches.delete('cotangent-tuner');
});

test('the browser keeps choices from one engine to the next', async () => {
  await caches.delete('cotangent-tuner');
  const texts: string[] = [];
  for (const tune of ['cached', 'now', 'cached'] as const) {
    const engine = (await createEngine({ tune })).use();
    engines.push(engine);
    const step = compile((x: Tensor) => sum(x, { axes: -1 }));
    const x = { data: new Float32Array(4000), shape: [4, 1000] };
    await step.prepare(x);
    texts.push(/\(.*, (\w+)\)/.exec(step.explain(x))?.[1] ?? '');
  }
  expect(texts).toEqual(['static', 'tuned', 'cached']);
});
