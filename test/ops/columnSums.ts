import { expect } from 'vitest';
import { compile, matmul, sum, type Tensor, transpose } from '../../src/index.js';
import { random } from '../support/random.js';

/** Batch, inputs, outputs: around every tile. */
export const columnSumSizes = [
  [1, 1, 1],
  [7, 3, 17],
  [33, 65, 10],
  [128, 9, 129],
] as const;

/**
 * A weight's gradient and its bias's: one dispatch, exact in whole numbers, whatever lies past the tiles' ends.
 * @param stored what is multiplied of each operand: itself, or itself as f16.
 */
export async function checkColumnSums(
  batch: number,
  inputs: number,
  outputs: number,
  seed: number,
  stored = (x: Tensor): Tensor => x,
): Promise<void> {
  const r = random(seed);
  const x = r.floats(batch * inputs, ({ integer }) => integer(-5, 5));
  const g = r.floats(batch * outputs, ({ integer }) => integer(-5, 5));
  const step = compile((x: Tensor, y: Tensor) => {
    const [left, right] = [stored(x), stored(y)];
    return [matmul(transpose(left), right), sum(right, { axes: 0 })];
  });
  const given = [
    { data: x, shape: [batch, inputs] },
    { data: g, shape: [batch, outputs] },
  ] as const;
  expect(step.explain(...given)).toContain('matmul+sum');
  const [weight, bias] = await Promise.all(step(...given).map((result) => (result as Tensor).data()));
  const at = (i: number, k: number) => x[i * inputs + k] ?? 0;
  const slope = (i: number, j: number) => g[i * outputs + j] ?? 0;
  const rows = Array.from({ length: batch }, (_, i) => i);
  for (let j = 0; j < outputs; j++) {
    expect(bias?.[j], `seed ${seed}: sum of column ${j}`).toBe(rows.reduce((total, i) => total + slope(i, j), 0));
    for (let k = 0; k < inputs; k++) {
      const wanted = rows.reduce((total, i) => total + at(i, k) * slope(i, j), 0);
      expect(weight?.[k * outputs + j], `seed ${seed}: product [${k}, ${j}]`).toBe(wanted);
    }
  }
  step.dispose();
}
