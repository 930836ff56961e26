import { describe, expect, test } from 'vitest';
import {
  add,
  compile,
  grad,
  multiply,
  optim,
  Parameter,
  random,
  scalar,
  sum,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

// A user's function that throws in the middle of a step: nothing has run, so nothing has changed.

useEngine();
const read = async (x: Tensor) => Array.from(await x.data());

/** A function of the host that can be made to throw. */
function moody<T>(value: () => T) {
  const mood = { fails: false, read: value };
  mood.read = () => {
    if (mood.fails) throw new RangeError('not now');
    return value();
  };
  return mood;
}

describe('a scalar that throws once', () => {
  test.each([
    ['compiled', (body: (x: Tensor) => Tensor) => compile(body)],
    ['read at once', (body: (x: Tensor) => Tensor) => (data: Float32Array) => body(tensor(data.slice()))],
  ])('keeps no number that changed beside it from its next run: %s', async (_, make) => {
    let slope = 2;
    const offset = moody(() => 1);
    const [a, b] = [scalar(() => slope), scalar(offset.read)];
    const line = make((x) => add(multiply(x, a), b)) as (data: Float32Array) => Tensor;
    const x = Float32Array.of(1, 10);
    expect(await read(line(x))).toEqual([3, 21]);
    slope = 5;
    offset.fails = true;
    await expect(async () => line(x).data()).rejects.toThrow('not now');
    offset.fails = false;
    expect(await read(line(x))).toEqual([6, 51]);
  });

  test('moves no random counter', async () => {
    const [generator, other] = [random.generator(3), random.generator(3)];
    const scale = moody(() => 1);
    const factor = scalar(scale.read);
    const draw = compile(() => multiply(generator.uniform([4]), factor));
    expect(await read(draw())).toEqual(await read(other.uniform([4])));
    scale.fails = true;
    expect(() => draw()).toThrow('not now');
    scale.fails = false;
    expect(generator.step).toBe(1);
    expect(await read(draw())).toEqual(await read(other.uniform([4])));
  });

  test('leaves no tensor out that is given again', async () => {
    const offset = moody(() => 1);
    const b = scalar(offset.read);
    const step = compile((x: Tensor) => add(x, b));
    const [first, second] = [tensor([1, 2]), tensor([3, 4])];
    expect(await read(step(first))).toEqual([2, 3]);
    offset.fails = true;
    expect(() => step(second)).toThrow('not now');
    offset.fails = false;
    expect(await read(step(second))).toEqual([4, 5]);
  });

  test('as an input it moves no count of updates', async () => {
    const w = new Parameter([1]);
    const sgd = optim.sgd([w], { learningRate: 0.5 });
    const size = moody(() => 2);
    const step = compile((x: Tensor) => sgd.update(grad(sum(multiply(w, x)), [w])));
    size.fails = true;
    expect(() => step(scalar(size.read))).toThrow('not now');
    expect([sgd.step, step.count]).toEqual([0, 0]);
    size.fails = false;
    step(scalar(size.read));
    expect(sgd.step).toBe(1);
    expect(await read(w)).toEqual([0]);
  });
});

describe('a schedule that throws once', () => {
  test.each([true, false])(
    'leaves the count of updates and the parameters as they were (compiled: %s)',
    async (compiled) => {
      const run = async (fails: boolean) => {
        const rate = moody(() => 0.1);
        const counts: number[] = [];
        const w = new Parameter([1, -2]);
        const adam = optim.adam([w], { learningRate: (count) => counts.push(count) && rate.read() });
        const body = () => adam.update(grad(sum(multiply(w, w)), [w]));
        const step = compiled ? compile(body) : body;
        step();
        rate.fails = fails;
        if (fails) expect(step).toThrow('not now');
        rate.fails = false;
        expect(adam.step).toBe(1);
        step();
        expect(adam.step).toBe(2);
        return { values: await read(w), counts: [...new Set(counts)] };
      };
      expect(await run(true)).toEqual(await run(false));
    },
  );
});

test.each([
  [
    'adam',
    (w: Parameter) => optim.adam([w], { learningRate: multiply(w, 2) }),
    'ValueError: optim.adam: learningRate is a computed tensor, which the host has no number of.\n  Mend: use a number, a schedule, or scalar(() => value).',
  ],
  [
    'sgd in a group',
    (w: Parameter) => optim.sgd([{ parameters: [w], settings: { momentum: w } }], { learningRate: 1 }),
    'ValueError: optim.sgd: momentum is a computed tensor, which the host has no number of.\n  Mend: use a number, a schedule, or scalar(() => value).',
  ],
])('a computed tensor is no hyperparameter: %s', async (_, make, text) => {
  expect(await complaint(() => make(new Parameter([1])))).toBe(text);
});
