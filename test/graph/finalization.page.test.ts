import { describe, expect, test } from 'vitest';
import { commands } from 'vitest/browser';
import {
  add,
  compile,
  grad,
  matmul,
  multiply,
  optim,
  Parameter,
  repeat,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { useOwnEngine } from '../support/engine.js';

const engine = useOwnEngine();

/** Bytes lent by the pool, uniforms too, once what nobody can reach has been given back. */
async function bytesInUse(atMost: number): Promise<number> {
  for (let tries = 0; tries < 20 && engine().device.buffers.statistics.bytesInUse > atMost; tries++) {
    await commands.collectGarbage();
    // Finalizers run as tasks of their own.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return engine().device.buffers.statistics.bytesInUse;
}

const kinds: [string, () => (x: Float32Array) => Tensor][] = [
  ['a step', () => compile((x: Tensor) => add(multiply(x, tensor([1, 2])), 1))],
  ['one that repeats', () => compile((x: Tensor) => repeat(3, (state: Tensor) => multiply(state, 2), x))],
];

test.each(kinds)('%s that nobody can reach gives its memory back', async (_, make) => {
  const before = await bytesInUse(0);
  const use = () => make()(Float32Array.of(1, 2)).data();
  for (let i = 0; i < 20; i++) await use();
  expect(await bytesInUse(before)).toBeLessThanOrEqual(before);
});

test('its last values can be read for as long as they are held', async () => {
  const before = await bytesInUse(0);
  let output: Tensor | undefined = compile((x: Tensor) => add(x, 1))(Float32Array.of(1, 2));
  await bytesInUse(0);
  expect(Array.from(await output.data())).toEqual([2, 3]);
  output = undefined;
  expect(await bytesInUse(before)).toBeLessThanOrEqual(before);
});

const updates: [string, (p: Parameter, optimizer: optim.Optimizer) => void][] = [
  ['at once', (p, optimizer) => optimizer.update(grad(sum(matmul(tensor([[1, 2]]), p)), [p]))],
  ['in a step', (p, optimizer) => compile(() => optimizer.update(grad(sum(matmul(tensor([[1, 2]]), p)), [p])))()],
];

describe.each(updates)('an optimizer that updates %s', (_, update) => {
  const train = async () => {
    const p = new Parameter(tensor([[1], [2]]));
    // Sets aside all that an optimizer may: gradients, their norm, two states, groups.
    const optimizer = optim.adam([p], { learningRate: () => 0.5, clip: { globalNorm: 1 } });
    for (let i = 0; i < 2; i++) update(p, optimizer);
    await p.data();
    return p;
  };

  test('gives its memory back with its parameters when nobody can reach them', async () => {
    const before = await bytesInUse(0);
    // This function's frame would hold on to what it awaited last.
    const use = async () => void (await train());
    for (let i = 0; i < 10; i++) await use();
    expect(await bytesInUse(before)).toBeLessThanOrEqual(before);
  });

  test('gives all but its parameters back when those are held', async () => {
    const before = await bytesInUse(0);
    const p = await train();
    const values = Array.from(await p.data());
    // One block of the arena.
    await bytesInUse(before + 256);
    expect(engine().memory().held).toMatchObject({ optimizers: 0, parameters: 256 });
    expect(Array.from(await p.data())).toEqual(values);
  });
});
