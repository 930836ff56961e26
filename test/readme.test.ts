import { describe, expect, test } from 'vitest';
import readme from '../README.md?raw';
import * as cotangent from '../src/index.js';
import { gzip, idxFile } from './data/idxFile.js';
import { statistics } from './losses/reference.js';
import { codeBlocks, runBlock } from './support/documentation.js';
import { useEngine } from './support/engine.js';

useEngine();

const blocks = codeBlocks(readme);

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
    const [example = ''] = blocks.all;
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(17);
    const logged: number[] = [];
    const losses: Promise<number>[] = [];
    const watched = example.replace(
      'const loss = step(images, labels);',
      'const loss = step(images, labels); losses_.push(loss.item());',
    );
    const { step } = (await runBlock(
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

  test('reads the digits that the example takes from files as MNIST ships them', async () => {
    const pixels = Uint8Array.from({ length: 2 * 784 }, (_, i) => i % 256);
    const files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
      'mnist/train-images-idx3-ubyte': await gzip(idxFile(0x08, [2, 28, 28], pixels)),
      'mnist/train-labels-idx1-ubyte': idxFile(0x08, [2], [7, 3]),
    };
    const given = { fetch: async (path: string) => new Response(files[path]) };
    const { digits } = (await runBlock(blocks.having('readIdx'), given, 'digits')) as {
      digits: cotangent.LabelledImages;
    };
    expect(digits.labels).toEqual(new Uint32Array([7, 3]));
    expect(digits.images).toEqual(Float32Array.from(pixels, (byte) => byte / 255));
  });

  test('has a loss in WGSL that works as written', async () => {
    const logits = new cotangent.Parameter([
      [1, 2, 0.5],
      [0.1, -1, 3],
    ]);
    const { focal, loss } = (await runBlock(
      blocks.having('defineLoss'),
      { model: () => logits, images: undefined, labels: new Int32Array([1, -1]) },
      'focal, loss',
    )) as { focal: ReturnType<typeof cotangent.defineLoss>; loss: cotangent.Tensor };
    const p = Math.exp(2) / (Math.E + Math.exp(2) + Math.exp(0.5));
    // The second row is ignored, by ignoreIndex: -1.
    expect(await loss.item()).toBeCloseTo(-((1 - p) ** 1.5) * Math.log(p), 5);
    expect(focal.declaration.source).toBe('Lin et al. 2017, eq. 5');
  });

  /** Focal loss in float64: q^g c, where q = 1 - p and c = -log p, and its derivatives by the logits and by g. */
  function focalReference(z: readonly number[], label: number, gamma: number) {
    const { c, p, complement: q } = statistics(z, label);
    const weight = q ** gamma;
    return {
      value: weight * c,
      gradient: p.map((pj, j) => weight * (1 + (gamma * (p[label] ?? 0) * c) / q) * (j === label ? -q : pj)),
      byGamma: weight * Math.log(q) * c,
      complement: q,
      // What errors grow with: log2 of the weight, and how far the label's logit is from the others.
      exponent: Math.abs(gamma * Math.log2(q)),
      odds: Math.abs(Math.log(q / (p[label] ?? 0))),
    };
  }

  // The second to last row is surer than f32 can tell: 1 - p is 0. Its loss at gamma 0.5 must not be infinity times 0.
  const rows = [
    [20, 0, 0],
    [45, 1, 0],
    [0.5, 0.25, -1],
    [200, 0, 0],
    [0, 12, 3],
  ];
  const labels = new Int32Array(rows.length);
  const focalOf = async () => {
    const given = { model: () => cotangent.tensor(rows), images: undefined, labels };
    const { focal } = (await runBlock(blocks.having('defineLoss'), given, 'focal')) as {
      focal: (logits: cotangent.Tensor, labels: Int32Array, options: object) => cotangent.Tensor;
    };
    return focal;
  };

  test.each([0, 0.5, 1, 2])('its loss follows float64 on rows that are all but certain: gamma %f', async (gamma) => {
    const focal = await focalOf();
    const logits = new cotangent.Parameter(rows);
    const values = focal(logits, labels, { gamma, reduction: 'none' });
    const [slopes] = cotangent.grad(cotangent.sum(values), [logits]) as [cotangent.Tensor];
    const [value, slope] = await Promise.all([values.data(), slopes.data()]);
    rows.forEach((z, i) => {
      const wanted = focalReference(z, 0, gamma);
      // WGSL: log2 to 3 ulp (2^-21 near 1), exp and exp2 to 3 + 2|x| ulp; beside these a dozen roundings.
      const relative = 2 ** -23 * (20 + 5 * wanted.exponent + 2 * wanted.odds) + 2 ** -21 * gamma;
      const limit = (x: number) => relative * Math.abs(x) + 1e-37;
      expect(Math.abs((value[i] ?? Number.NaN) - wanted.value), `value ${i}`).toBeLessThanOrEqual(limit(wanted.value));
      wanted.gradient.forEach((g, j) => {
        const off = Math.abs((slope[3 * i + j] ?? Number.NaN) - g);
        expect(off, `gradient[${i}, ${j}], ${g}`).toBeLessThanOrEqual(limit(g));
      });
    });
  });

  test.each([0, 0.5, 1, 2])('its definition does so too: gamma %f', async (gamma) => {
    const focal = await focalOf();
    const logits = new cotangent.Parameter(rows);
    const direction = rows.map(() => [1, -0.5, 0.25]);
    const total = focal(logits, labels, { gamma, reduction: 'sum' });
    const product = await cotangent.hvp(total, logits, cotangent.tensor(direction)).data();
    for (const [i, z] of rows.entries()) {
      const wanted = focalReference(z, 0, gamma);
      // The log-odds are rounded relative to themselves, and stand in the exponent; beside that some dozens of roundings.
      const relative = 2 ** -23 * (32 + 4 * (1 + gamma) * wanted.odds);
      const parameter = cotangent.tensor(gamma);
      const loss = focal(cotangent.tensor([z]), labels.subarray(0, 1), { gamma: parameter });
      const [byGamma] = cotangent.grad(loss, [parameter]) as [cotangent.Tensor];
      const off = Math.abs((await byGamma.item()) - wanted.byGamma);
      // The value may be flushed to 0 before log q multiplies it.
      const flushed = 1e-37 * (1 + wanted.odds);
      expect(off, `by gamma, row ${i}`).toBeLessThanOrEqual(relative * Math.abs(wanted.byGamma) + flushed);
      const along = (step: number) =>
        focalReference(
          z.map((x, j) => x + step * (direction[i]?.[j] ?? 0)),
          0,
          gamma,
        ).gradient;
      const [ahead, behind] = [along(1e-5), along(-1e-5)];
      const curved = ahead.map((g, j) => (g - (behind[j] ?? 0)) / 2e-5);
      // The differences are good to 1e-8 of the largest; sigmoid's derivative s (1 - s) cancels where s is near 1.
      const limit = (relative + 1e-8) * Math.max(...curved.map(Math.abs)) + 2 ** -22 * wanted.complement + flushed;
      curved.forEach((h, j) => {
        const error = Math.abs((product[3 * i + j] ?? Number.NaN) - h);
        expect(error, `second derivative [${i}, ${j}], ${h}`).toBeLessThanOrEqual(limit);
      });
    }
  });
});
