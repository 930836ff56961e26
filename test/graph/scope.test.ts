import { describe, expect, test } from 'vitest';
import { add, compile, multiply, scope, type Tensor, tensor } from '../../src/index.js';
import { useOwnEngine } from '../support/engine.js';

const engine = useOwnEngine();
const read = async (x: Tensor) => Array.from(await x.data());
const held = () => engine().memory().held.tensors;

describe('a step first called inside a scope', () => {
  test('keeps the constants of its body', async () => {
    const step = compile((x: Tensor) => add(x, tensor([1, 2])));
    await scope(() => read(step(Float32Array.of(0, 0))));
    expect(await read(step(Float32Array.of(1, 1)))).toEqual([2, 3]);
  });

  test('keeps a result of the outside that it settled', async () => {
    const outside = multiply(tensor([1, 2]), 3);
    const step = compile((x: Tensor) => add(x, outside));
    await scope(() => read(step(Float32Array.of(0, 0))));
    expect(await read(step(Float32Array.of(1, 1)))).toEqual([4, 7]);
  });

  test('and prepared or explained there', async () => {
    const [one, two] = [1, 2].map((by) => compile((x: Tensor) => add(x, tensor([by, by]))));
    await scope(async () => {
      await one?.prepare(Float32Array.of(0, 0));
      two?.explain(Float32Array.of(0, 0));
    });
    expect(await read(one?.(Float32Array.of(1, 1)) as Tensor)).toEqual([2, 2]);
    expect(await read(two?.(Float32Array.of(1, 1)) as Tensor)).toEqual([3, 3]);
  });

  test('leaves the inputs it was given to the scope', async () => {
    const step = compile((x: Tensor) => add(x, 1));
    const before = held();
    await scope(() => read(step(tensor([1, 2]))));
    expect(held()).toBe(before);
  });
});
