import { describe, expect, test } from 'vitest';
import { compile, grad, matmul, optim, Parameter, sum, type Tensor, tensor } from '../../src/index.js';
import { useOwnEngine } from '../support/engine.js';

const engine = useOwnEngine();

const ROWS = 17;
const COLUMNS = 9;
/** Of an arena: whole blocks of 256 bytes. */
const ARENA = Math.ceil((4 * ROWS * COLUMNS) / 256) * 256;

/** A step whose gradient by w[k, j] is the sum of column k of x: k + 1 for one row 1, 2, 3, … */
function training(options: Partial<optim.SgdOptions>) {
  const w = new Parameter(tensor(new Float32Array(ROWS * COLUMNS), { shape: [ROWS, COLUMNS] }));
  const optimizer = optim.sgd([w], { learningRate: 1, ...options });
  const step = compile((x: Tensor) => optimizer.update(grad(sum(matmul(x, w)), [w])));
  const x = { data: Float32Array.from({ length: ROWS }, (_, k) => k + 1), shape: [1, ROWS] };
  const gradients = Array.from({ length: ROWS * COLUMNS }, (_, i) => Math.floor(i / COLUMNS) + 1);
  return { w, optimizer, gradients, step: () => step(x) };
}

describe('gradients have memory of their own only where they are stored', () => {
  test('none where the updates are in the kernels that make them', async () => {
    const { w, optimizer, gradients, step } = training({});
    step();
    expect(Array.from(await w.data())).toEqual(gradients.map((value) => -value));
    expect(engine().memory().held.optimizers).toBe(0);
    optimizer.dispose();
  });

  test('nor is there any state but a momentum that is asked for', async () => {
    const { optimizer, step } = training({ momentum: 0.5 });
    step();
    expect(engine().memory().held.optimizers).toBe(ARENA);
    optimizer.dispose();
  });

  test('an arena, of zeros between them, where their norm is needed', async () => {
    // What the pool lends next holds NaN all over.
    const heap = engine().heap;
    const dirty = [1, 2, 3, 4].map(() => heap.allocate(ARENA, 'tensors', 'dirty'));
    for (const one of dirty) heap.upload(one, new Float32Array(ARENA / 4).fill(Number.NaN), 'f32');
    for (const one of dirty) one.free();
    const { w, optimizer, gradients, step } = training({ clip: { globalNorm: 1 } });
    step();
    const norm = Math.hypot(...gradients);
    const values = await w.data();
    // A norm of 153 squares and a quotient: a few roundings of values below 0.13.
    gradients.forEach((value, i) => {
      expect(Math.abs((values[i] ?? Number.NaN) + value / norm)).toBeLessThan(1e-7);
    });
    expect(engine().memory().held.optimizers).toBeGreaterThanOrEqual(ARENA);
    optimizer.dispose();
    expect(engine().memory().held.optimizers).toBe(0);
  });

  test('one that is needed once a parameter was frozen begins with zeros', async () => {
    const frozen = new Parameter(tensor([5, 5]), { trainable: false });
    const w = new Parameter(tensor([0, 0]));
    const optimizer = optim.sgd([frozen, w], { learningRate: 1, clip: { globalNorm: 10.5 } });
    optimizer.update([tensor([3, 3]), tensor([6, 8])]);
    expect(Array.from(await w.data())).toEqual([-6, -8]);
    expect(Array.from(await frozen.data())).toEqual([5, 5]);
    optimizer.dispose();
  });
});
