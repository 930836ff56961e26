import { describe, expect, test, vi } from 'vitest';
import { grad } from '../../src/autograd/grad.js';
import { compile } from '../../src/graph/compile.js';
import { Parameter } from '../../src/graph/parameter.js';
import { keep } from '../../src/graph/scope.js';
import { scalar, tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { add, multiply, square, subtract } from '../../src/ops/arithmetic.js';
import { toF32 } from '../../src/ops/casts.js';
import { matmul } from '../../src/ops/matmul.js';
import { mean, sum } from '../../src/ops/reduce.js';
import { complaint } from '../support/complaint.js';
import { useEngine } from '../support/engine.js';

const engine = useEngine();

const values = async (x: Tensor) => [...(await x.data())];

describe('outputs', () => {
  test('in an object that looks like an array with its shape are this step’s, too', async () => {
    const step = compile((x: Tensor) => ({ data: square(x), shape: [1], more: [{ data: x, shape: multiply(x, 2) }] }));
    const { data, shape, more } = step(3);
    expect(await data.item()).toBe(9);
    expect(shape).toEqual([1]);
    expect([await more[0]?.data.item(), await more[0]?.shape.item()]).toEqual([3, 6]);
  });

  test('are refused where no value could be put in', async () => {
    class Outputs {
      constructor(readonly loss: Tensor) {}
    }
    const sentence = (of: string) =>
      `ValueError: mine: it returned a ${of}, whose tensors a step cannot give their values.\n` +
      '  Mend: return tensors in arrays and plain objects.';
    const one = compile((x: Tensor) => [new Outputs(square(x))], { name: 'mine' });
    expect(await complaint(() => one(3))).toBe(sentence('Outputs'));
    const two = compile((x: Tensor) => ({ by: new Map([['x', x]]) }), { name: 'mine' });
    expect(await complaint(() => two(3))).toBe(sentence('Map'));
  });

  test('three losses held and read later are their own', async () => {
    const step = compile((x: Tensor) => multiply(x, 2));
    const held = [1, 2, 3].map((x) => step(x));
    expect(await Promise.all(held.map((loss) => loss.item()))).toEqual([2, 4, 6]);
  });

  test('the last 64 can be read, the one before is stale', async () => {
    const step = compile((x: Tensor) => add(x, 0.5), { name: 'ring' });
    const held = Array.from({ length: 66 }, (_, i) => step(i));
    expect(await held[2]?.item()).toBe(2.5);
    expect(await held[65]?.item()).toBe(65.5);
    expect(await complaint(() => held[1]?.item())).toBe(
      "StaleTensorError: data: the output of step 1 of 'ring' was overwritten; the last 64 are kept, and 64 steps have run since.\n" +
        '  Mend: read it earlier, or keep(tensor) right after the step.',
    );
  });

  test('a large output keeps 8, a huge one 2', async () => {
    for (const [size, kept] of [
      [1000, 8],
      [300_000, 2],
    ] as const) {
      const step = compile((x: Tensor) => add(x, 1));
      const inputs = Array.from({ length: kept + 1 }, (_, i) => new Float32Array(size).fill(i));
      const held = inputs.map((input) => step(input));
      expect((await held[1]?.data())?.[size - 1]).toBe(2);
      expect(await complaint(() => held[0]?.data())).toContain(
        `the last ${kept} are kept, and ${kept} steps have run since.`,
      );
      step.dispose();
    }
  });

  test('keep copies one out', async () => {
    const step = compile((x: Tensor) => square(x));
    const kept = keep(step(3));
    for (let i = 0; i < 70; i++) step(i);
    expect(await kept.item()).toBe(9);
  });

  test('a stale output is refused as an operand too', async () => {
    const step = compile((x: Tensor) => square(x), { name: 'old' });
    const first = step(1);
    for (let i = 0; i < 64; i++) step(i);
    expect(await complaint(() => add(first, 1).data())).toContain(
      "StaleTensorError: output: the output of step 0 of 'old' was overwritten",
    );
  });

  test('an output feeds the next step', async () => {
    const step = compile((x: Tensor) => multiply(x, 2));
    let x: Tensor = tensor([1, 3]);
    for (let i = 0; i < 5; i++) x = step(x);
    expect(await values(x)).toEqual([32, 96]);
  });

  test('come in the structure that the function returned', async () => {
    const step = compile((x: Tensor) => ({ sum: sum(x), parts: [square(x), { same: x }], note: 'a string' }));
    const result = step(Float32Array.of(1, 2));
    expect(await result.sum.item()).toBe(3);
    expect(await values(result.parts[0] as Tensor)).toEqual([1, 4]);
    expect(await values((result.parts[1] as { same: Tensor }).same)).toEqual([1, 2]);
    expect(result.note).toBe('a string');
  });

  test('an input returned is a copy of the step’s own', async () => {
    const step = compile((x: Tensor) => x);
    const [first, second] = [step(Float32Array.of(1, 2)), step(Float32Array.of(3, 4))];
    expect(await values(first)).toEqual([1, 2]);
    expect(await values(second)).toEqual([3, 4]);
  });

  test('a parameter returned is the parameter itself', async () => {
    const w = new Parameter([1, 2]);
    const step = compile(() => {
      w.assign(add(w, 1));
      return w;
    });
    expect(step()).toBe(w);
    expect(await values(w)).toEqual([2, 3]);
  });

  test('one tensor returned twice, and a constant', async () => {
    const step = compile((x: Tensor) => {
      const y = square(x);
      return [y, y, tensor([7])] as const;
    });
    const [a, b, c] = step(3);
    expect(await Promise.all([a.item(), b.item(), c.item()])).toEqual([9, 9, 7]);
  });
});

describe('assignments', () => {
  test('take effect at the end: a.assign(b); b.assign(a) swaps', async () => {
    const [a, b] = [new Parameter([1, 2]), new Parameter([3, 4])];
    const swap = compile(() => {
      a.assign(b);
      b.assign(a);
    });
    swap();
    expect([await values(a), await values(b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    swap();
    expect([await values(a), await values(b)]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('every read of the step sees the old value', async () => {
    const w = new Parameter([1]);
    const step = compile(() => {
      const before = multiply(w, 10);
      w.assign(add(w, 1));
      const after = multiply(w, 100);
      return [before, after] as const;
    });
    const [before, after] = step();
    expect([await before.item(), await after.item(), await w.item()]).toEqual([10, 100, 2]);
  });

  test('of an input, of a constant, of a view', async () => {
    const [a, b, c] = [
      new Parameter([0, 0]),
      new Parameter([0]),
      new Parameter([
        [0, 0],
        [0, 0],
      ]),
    ];
    const step = compile((x: Tensor) => {
      a.assign(x);
      b.assign(tensor([5]));
      c.assign(
        matmul(
          multiply(x, tensor([[1], [2]])),
          tensor([
            [1, 0],
            [0, 1],
          ]),
        ),
      );
    });
    step(Float32Array.of(1, 2));
    expect([await values(a), await values(b), await values(c)]).toEqual([[1, 2], [5], [1, 2, 2, 4]]);
  });

  test('a graph made before one refuses to read the new value', async () => {
    const w = new Parameter([1]);
    const y = multiply(w, 2);
    w.assign(tensor([5]));
    expect(await complaint(() => y.data())).toMatch(/^StaleTensorError: /);
    expect(await multiply(w, 2).item()).toBe(10);
  });

  test('follow a parameter whose memory moved', async () => {
    const w = new Parameter([1, 2]);
    const step = compile(() => {
      w.assign(multiply(w, 10));
    });
    step();
    const elsewhere = engine().heap.allocate(8, 'parameters', 'moved');
    engine().heap.copy(engine().heap.materialise(w), elsewhere, 8);
    engine().heap.relocate(w, elsewhere);
    step();
    expect(await values(w)).toEqual([100, 200]);
  });

  test('eager ones swap by a copy made first', async () => {
    const [a, b] = [new Parameter([1]), new Parameter([2])];
    const kept = keep(a);
    a.assign(b);
    b.assign(kept);
    expect([await a.item(), await b.item()]).toEqual([2, 1]);
  });

  test('of one parameter by two names (tied weights) adds up its gradient', async () => {
    const w = new Parameter([
      [1, 2],
      [3, 4],
    ]);
    const layers = { first: w, second: w };
    const step = compile((x: Tensor) => {
      const loss = sum(matmul(matmul(x, layers.first), layers.second));
      const [gradient] = grad(loss, [w]) as [Tensor];
      w.assign(subtract(w, gradient));
      return gradient;
    });
    // d sum(x w w) / dw = x^T (w 1)^T + (x w)^T 1^T, x = [1, 1]: [[3, 7], [3, 7]] + [[4, 4], [6, 6]].
    expect(await values(step({ data: Float32Array.of(1, 1), shape: [1, 2] }))).toEqual([7, 11, 9, 13]);
    expect(await values(w)).toEqual([-6, -9, -6, -9]);
  });
});

describe('captures', () => {
  test('scalar is read anew each step, a number is baked in', async () => {
    const rate = { value: 1 };
    const trace = vi.fn(
      (x: Tensor) =>
        [
          multiply(
            x,
            scalar(() => rate.value),
          ),
          multiply(x, rate.value),
        ] as const,
    );
    const step = compile(trace as unknown as (x: Tensor) => readonly [Tensor, Tensor]);
    step(3);
    rate.value = 10;
    const [fresh, baked] = step(3);
    expect([await fresh.item(), await baked.item()]).toEqual([30, 3]);
    expect(trace).toHaveBeenCalledTimes(1);
  });

  test('tensors are captured by reference', async () => {
    const x = tensor([1, 2]);
    const step = compile(() => multiply(x, 2));
    expect(await values(step())).toEqual([2, 4]);
    expect(await values(x)).toEqual([1, 2]);
  });

  test('a parameter’s value is that of the moment', async () => {
    const w = new Parameter([1]);
    const step = compile(() => multiply(w, 2));
    step();
    w.assign(tensor([21]));
    expect(await step().item()).toBe(42);
  });

  test('one that was disposed of is an error, at tracing and afterwards', async () => {
    const x = tensor([1, 2]);
    const step = compile(() => multiply(x, 2), { name: 'step' });
    await step().data();
    x.dispose();
    const text =
      'FreedError: step: the tensor [2] was disposed of.\n  Mend: dispose of it after its last use, or keep(tensor) a copy.';
    expect(await complaint(() => step())).toBe(text);
    expect(await complaint(() => compile(() => multiply(x, 2))())).toContain('FreedError: ');
  });
});

describe('inputs', () => {
  test('typed arrays, tensors, host arrays and numbers', async () => {
    const step = compile((x: Tensor) => sum(x));
    const data = Float32Array.of(1, 2, 3);
    expect(await step(data).item()).toBe(6);
    expect(await step(tensor([4, 5, 6])).item()).toBe(15);
    expect(await step({ data, shape: [3] }).item()).toBe(6);
    expect(await step({ data, shape: [3, 1] }).item()).toBe(6);
    expect(await step(7).item()).toBe(7);
  });

  test('integers keep their dtype', async () => {
    const step = compile((x: Tensor) => x);
    expect(step(Int32Array.of(-1)).dtype).toBe('i32');
    expect(step(Uint32Array.of(1)).dtype).toBe('u32');
    expect(await values(step(Int32Array.of(-1)))).toEqual([-1]);
  });

  test('a tensor that is not computed yet, and one that is bool', async () => {
    const step = compile((x: Tensor) => toF32(x));
    expect(await values(step(multiply(tensor([1, 2]), 3)))).toEqual([3, 6]);
    expect(await values(step(tensor([true, false])))).toEqual([1, 0]);
  });

  test('the same tensor again is not copied again, nor mistaken for another', async () => {
    const step = compile((x: Tensor, y: Tensor) => subtract(multiply(x, 10), y));
    const [a, b] = [tensor([1]), tensor([2])];
    const w = new Parameter([3]);
    const copies = vi.spyOn(GPUCommandEncoder.prototype, 'copyBufferToBuffer');
    const results: number[] = [];
    for (const [x, y] of [
      [a, b],
      [a, b],
      [b, a],
      [new Float32Array([5]), a],
      [b, new Float32Array([7])],
      [b, w],
    ] as const) {
      results.push(await step(x, y).item());
    }
    w.assign([4]);
    results.push(await step(b, w).item());
    copies.mockClear();
    const again = step(b, w);
    // The parameter, and the result into its ring.
    expect(copies).toHaveBeenCalledTimes(2);
    copies.mockRestore();
    results.push(await again.item());
    expect(results).toEqual([8, 8, 19, 49, 13, 17, 16, 16]);
  });

  test('in arrays and objects', async () => {
    const step = compile(({ a, rest }: { a: Tensor; rest: Tensor[] }, b: Tensor) =>
      add(multiply(a, b), rest[0] as Tensor),
    );
    expect(await step({ a: 2, rest: [5] }, 3).item()).toBe(11);
    expect(await values(step({ a: Float32Array.of(1, 2), rest: [tensor([1, 1])] }, 10))).toEqual([11, 21]);
  });

  test('that the function ignores cost nothing and change nothing', async () => {
    const step = compile((_: Tensor, y: Tensor) => square(y));
    expect(await step(Float32Array.of(1, 2, 3), 4).item()).toBe(16);
  });

  test('another batch size makes another plan; both stay right', async () => {
    const trace = vi.fn((x: Tensor) => mean(square(x)));
    const step = compile(trace as unknown as (x: Tensor) => Tensor);
    for (let round = 0; round < 2; round++) {
      expect(await step(Float32Array.of(1, 2, 3, 4)).item()).toBe(7.5);
      expect(await step(Float32Array.of(3, 4)).item()).toBe(12.5);
    }
    expect(trace).toHaveBeenCalledTimes(2);
    expect(step.count).toBe(4);
  });

  test('of ever new shapes warn once, and old plans go', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const step = compile((x: Tensor) => sum(x), { name: 'thrash', maximumPlans: 2 });
    for (let size = 1; size <= 12; size++) expect(await step(new Float32Array(size).fill(1)).item()).toBe(size);
    expect(warn.mock.calls).toEqual([
      [
        'thrash: inputs of ever new shapes: 8 plans were thrown away. Pad batches to a few sizes, or raise maximumPlans.',
      ],
    ]);
    warn.mockRestore();
  });
});

describe('options', () => {
  const body = (x: Tensor) => x;

  test.each([0, -1, 1.5, Number.NaN])('maximumPlans %d is refused', async (maximumPlans) => {
    expect(await complaint(() => compile(body, { maximumPlans }))).toBe(
      `ValueError: compile: maximumPlans is ${maximumPlans}; it must be an integer of at least 1.`,
    );
  });

  test('an unknown one is refused, with what was probably meant', async () => {
    const options = { maximumPlan: 2 } as never;
    expect(await complaint(() => compile(body, options))).toBe(
      "ValueError: compile: unknown option 'maximumPlan'. Did you mean 'maximumPlans'?",
    );
  });
});

describe('calls', () => {
  test('a throw inside leaves no state behind: the step works when called again', async () => {
    const w = new Parameter([1]);
    const state = { fail: true };
    const step = compile((x: Tensor) => {
      w.assign(add(w, x));
      if (state.fail) throw new RangeError('mine');
      return multiply(w, 2);
    });
    expect(() => step(Float32Array.of(1))).toThrow(new RangeError('mine'));
    expect(await w.item()).toBe(1);
    state.fail = false;
    expect(await step(Float32Array.of(1)).item()).toBe(2);
    expect(await w.item()).toBe(2);
    // Nor does the engine think that a trace is under way.
    expect(await add(tensor([1]), 1).item()).toBe(2);
  });

  test('one inside another becomes part of it', async () => {
    const w = new Parameter([1]);
    const inner = compile((x: Tensor) => {
      w.assign(add(w, 1));
      return square(x);
    });
    const outer = compile((x: Tensor) => add(inner(x), w));
    expect(await outer(Float32Array.of(3)).item()).toBe(10);
    expect(await outer(Float32Array.of(3)).item()).toBe(11);
    expect(await w.item()).toBe(3);
    expect([inner.count, outer.count]).toEqual([0, 2]);
  });

  test('prepare compiles without running', async () => {
    const w = new Parameter([1]);
    const step = compile((x: Tensor) => {
      w.assign(add(w, x));
      return w;
    });
    await step.prepare(Float32Array.of(5));
    expect(await w.item()).toBe(1);
    expect(step.count).toBe(0);
    step(Float32Array.of(5));
    expect(await w.item()).toBe(6);
  });

  test('after dispose a step refuses, and its outputs are gone', async () => {
    const step = compile((x: Tensor) => square(x), { name: 'gone' });
    const output = step(2);
    step.dispose();
    expect(await complaint(() => step(2))).toBe(
      'ValueError: gone: the compiled function was disposed of.\n  Mend: compile it again.',
    );
    expect(await complaint(() => output.item())).toContain('FreedError: data: the tensor [] was disposed of.');
  });

  test('an input used outside its function is an error', async () => {
    let stolen: Tensor | undefined;
    compile((x: Tensor) => {
      stolen = square(x);
      return x;
    })(3);
    expect(await complaint(() => stolen?.data())).toBe(
      'ValueError: compile: an input of a compiled function was used outside it.\n  Mend: return what you need from the function.',
    );
  });

  test('explain has a line for each dispatch', () => {
    const w = new Parameter([[1], [2]]);
    const step = compile((x: Tensor) => mean(square(matmul(x, w))), { name: 'explained' });
    const text = step.explain({ data: new Float32Array(6), shape: [3, 2] });
    const [head = '', ...lines] = text.split('\n');
    const count = Number(/^explained: (\d+) dispatches/.exec(head)?.[1]);
    expect(count).toBeGreaterThan(0);
    expect(lines.filter((line) => /^ *\d+ {2}.* grid \d+x\d+x\d+/.test(line))).toHaveLength(count);
    expect(text).toContain('matmul');
  });

  test('ready resolves when all is done', async () => {
    const w = new Parameter([0]);
    const step = compile(() => {
      w.assign(add(w, 1));
    });
    for (let i = 0; i < 20; i++) step();
    await step.ready();
    expect(await w.item()).toBe(20);
  });
});
