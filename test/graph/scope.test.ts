import { describe, expect, test } from 'vitest';
import { add, compile, multiply, scope, type Tensor, tensor } from '../../src/index.js';
import { useOwnEngine } from '../support/engine.js';

const engine = useOwnEngine();
const read = async (x: Tensor) => Array.from(await x.data());
/** What is collected meanwhile only lessens it. */
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
    expect(held()).toBeLessThanOrEqual(before);
  });
});

describe('scopes that overlap', () => {
  /** Two scopes: the first is opened first, and closed while the second is open. */
  async function overlapping<A, B>(first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
    let open = () => {};
    let close = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const one = scope(async () => {
      await opened;
      return first();
    });
    const two = scope(async () => {
      open();
      await closed;
      return second();
    });
    const result = await one;
    close();
    return [result, await two];
  }

  const made = async (value: number) => {
    const x = multiply(tensor([value]), 2);
    await x.data();
    return x;
  };

  test('free each what it made, when the one opened first is closed first', async () => {
    const before = held();
    await overlapping(
      () => read(multiply(tensor([1, 2]), 2)),
      () => read(multiply(tensor([3, 4]), 2)),
    );
    expect(held()).toBeLessThanOrEqual(before);
  });

  test('leave to each other what they return', async () => {
    const before = held();
    const [x, y] = await overlapping(
      () => made(1),
      () => made(2),
    );
    expect([await x.item(), await y.item()]).toEqual([2, 4]);
    x.dispose();
    y.dispose();
    expect(held()).toBeLessThanOrEqual(before);
  });

  test('around them another scope gets what they return, and frees it', async () => {
    const before = held();
    await scope(async () => {
      const [x] = await overlapping(
        () => made(1),
        () => made(2),
      );
      expect(await x.item()).toBe(2);
    });
    expect(held()).toBeLessThanOrEqual(before);
  });
});
