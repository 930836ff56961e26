import { describe, expect, test } from 'vitest';
import readme from '../README.md?raw';
import * as cotangent from '../src/index.js';
import { useEngine } from './support/engine.js';

useEngine();

/** The README's TypeScript, in order. It uses no syntax that JavaScript lacks. */
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);

type Run = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => Run;

/** Runs a block with its imports taken from the library's sources, and names that it leaves to the reader. */
function run(block: string, given: Readonly<Record<string, unknown>>, results: string): Promise<unknown> {
  const code = block.replace(/import \{([^}]*)\} from 'cotangent';/, 'const {$1} = cotangent;');
  const body = `${code}\nreturn { ${results} };`;
  return new AsyncFunction('cotangent', ...Object.keys(given), body)(cotangent, ...Object.values(given));
}

/** Ten blurred stripes, each class at a place of its own. */
function stripes(count: number) {
  const images = new Float32Array(784 * count);
  const labels = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const label = (7 * i) % 10;
    labels[i] = label;
    for (let j = 0; j < 784; j++) {
      images[784 * i + j] = (j % 10 === label ? 0.7 : 0) + 0.3 * Math.abs(Math.sin(i * 784 + j));
    }
  }
  return { images, labels };
}

describe('the README', () => {
  test('has the training example in fifteen lines, and it trains', async () => {
    const [example = ''] = blocks;
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(17);
    const logged: number[] = [];
    const losses: Promise<number>[] = [];
    const watched = example
      .replace('const loss = step(images, labels);', 'const loss = step(images, labels); losses_.push(loss.item());')
      .replace('step.count % 100', 'step.count % 10');
    const { step } = (await run(
      watched,
      { digits: stripes(2560), console: { log: (loss: number) => logged.push(loss) }, losses_: losses },
      'step',
    )) as { step: { count: number } };
    expect(step.count).toBe(20);
    expect(logged.length).toBe(2);
    const values = await Promise.all(losses);
    expect(values[9]).toBe(logged[0]);
    // tau 1.5 bounds the loss by 2; untrained, it is 2 (1 - 1 / sqrt 10) = 1.37.
    expect(values[0]).toBeGreaterThan(1.1);
    expect(values.at(-1)).toBeLessThan(0.7 * (values[0] ?? 0));
  });

  test('has a loss in WGSL that works as written', async () => {
    const logits = new cotangent.Parameter([
      [1, 2, 0.5],
      [0.1, -1, 3],
    ]);
    const { focal, loss } = (await run(
      blocks[1] ?? '',
      { model: () => logits, images: undefined, labels: new Int32Array([1, -1]) },
      'focal, loss',
    )) as { focal: ReturnType<typeof cotangent.defineLoss>; loss: cotangent.Tensor };
    const p = Math.exp(2) / (Math.E + Math.exp(2) + Math.exp(0.5));
    // The second row is ignored, by ignoreIndex: -1.
    expect(await loss.item()).toBeCloseTo(-((1 - p) ** 1.5) * Math.log(p), 5);
    expect(focal.declaration.source).toBe('Lin et al. 2017, eq. 5');
  });
});
