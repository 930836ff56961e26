import { describe, expect, test } from 'vitest';
import { grad } from '../../src/autograd/grad.js';
import { compile } from '../../src/graph/compile.js';
import { Parameter } from '../../src/graph/parameter.js';
import { repeat } from '../../src/graph/repeat.js';
import { scalar, tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { crossEntropy } from '../../src/losses/index.js';
import { dropout, linear, relu, sequential } from '../../src/nn/index.js';
import { add, divide, maximum, minimum, multiply, sign, square, subtract } from '../../src/ops/arithmetic.js';
import { toF32 } from '../../src/ops/casts.js';
import { matmul } from '../../src/ops/matmul.js';
import * as draws from '../../src/ops/random.js';
import { mean, sum } from '../../src/ops/reduce.js';
import { adamw, cosine, type Optimizer, sgd } from '../../src/optim/index.js';
import { complaint } from '../support/complaint.js';
import { useEngine, useOwnEngine } from '../support/engine.js';
import { random } from '../support/random.js';

const engine = useEngine();

const values = async (x: Tensor) => [...(await x.data())];

function batch(seed: number) {
  const draw = random(seed);
  return [
    { data: draw.floats(16 * 20, (r) => r.normal()), shape: [16, 20] },
    Uint32Array.from({ length: 16 }, () => draw.below(5)),
  ] as const;
}

/** A net of its own, and what its parameters are at the end. */
function training(optimizerOf: (parameters: readonly Parameter[]) => Optimizer, dropped = 0) {
  const generator = draws.generator(3);
  const model = sequential(
    linear(20, 33, { generator: draws.generator(1) }),
    relu(),
    dropout(dropped, { generator }),
    linear(33, 5, { generator: draws.generator(2) }),
  );
  const parameters = model.parameters();
  const optimizer = optimizerOf(parameters);
  const body = (x: Tensor, y: Tensor) => {
    const loss = crossEntropy(model(x), y);
    optimizer.update(grad(loss, parameters));
    return loss;
  };
  const state = async () => [optimizer.step, generator.step, ...(await Promise.all(parameters.map(values)))];
  return { body, state };
}

describe('a training step', () => {
  test.each([
    ['sgd with momentum', (p: readonly Parameter[]) => sgd(p, { learningRate: 0.1, momentum: 0.9 }), 0],
    ['adamw on a schedule', (p: readonly Parameter[]) => adamw(p, { learningRate: cosine(0.01, { steps: 60 }) }), 0],
    [
      'adamw on a schedule, clipped',
      (p: readonly Parameter[]) => adamw(p, { learningRate: cosine(0.01, { steps: 60 }), clip: { globalNorm: 0.5 } }),
      0,
    ],
    ['sgd and dropout', (p: readonly Parameter[]) => sgd(p, { learningRate: 0.1 }), 0.4],
  ] as const)('%s: 40 repeated are 40 steps, bit for bit', async (_, optimizerOf, dropped) => {
    const [once, many, now] = [0, 1, 2].map(() => training(optimizerOf, dropped)) as [
      ReturnType<typeof training>,
      ReturnType<typeof training>,
      ReturnType<typeof training>,
    ];
    const step = compile(once.body);
    const steps = compile((x: Tensor, y: Tensor) => repeat(40, () => many.body(x, y)));
    for (const seed of [1, 2, 3]) {
      const [x, y] = batch(seed);
      let loss = Number.NaN;
      for (let i = 0; i < 40; i++) loss = await step(x, y).item();
      expect(await steps(x, y).item()).toBe(loss);
      const [images, labels] = [tensor(x), tensor(y)];
      expect(await repeat(40, () => now.body(images, labels)).item()).toBe(loss);
    }
    expect(await many.state()).toEqual(await once.state());
    expect(await now.state()).toEqual(await once.state());
    expect((await many.state())[0]).toBe(120);
  });

  test('reads in one iteration see its old values: assignments swap', async () => {
    for (const [count, expected] of [
      [4, [1, 2]],
      [5, [2, 1]],
    ] as const) {
      const [a, b] = [new Parameter([1]), new Parameter([2])];
      const body = () => {
        a.assign(b);
        b.assign(a);
        return add(multiply(a, 10), b);
      };
      expect(await values(compile(() => repeat(count, body))())).toEqual([count === 4 ? 21 : 12]);
      expect([...(await values(a)), ...(await values(b))]).toEqual(expected);
      repeat(1, body);
      expect([...(await values(a)), ...(await values(b))]).toEqual([...expected].reverse());
    }
  });
});

describe('a state', () => {
  test('an attack by the gradient’s sign, clipped, is the JavaScript loop', async () => {
    const draw = random(9);
    const w = new Parameter(
      tensor(
        draw.floats(6 * 3, (r) => r.normal()),
        { shape: [6, 3] },
      ),
    );
    const [images, labels] = [{ data: draw.floats(24, (r) => r.unit()), shape: [4, 6] }, Uint32Array.of(0, 2, 1, 1)];
    const ascend = (x: Tensor, start: Tensor, y: Tensor) => {
      const [direction] = grad(crossEntropy(matmul(x, w), y), [x]);
      const moved = add(x, multiply(0.03, sign(direction as Tensor)));
      return minimum(maximum(minimum(maximum(moved, subtract(start, 0.1)), add(start, 0.1)), 0), 1);
    };
    const attack = compile((x: Tensor, y: Tensor) => repeat(7, (now) => ascend(now, x, y), x));
    let x: Tensor = tensor(images);
    for (let i = 0; i < 7; i++)
      x = tensor({ data: await ascend(x, tensor(images), tensor(labels)).data(), shape: [4, 6] });
    expect(await values(attack(images, labels))).toEqual(await values(x));
    expect(await values(repeat(7, (now) => ascend(now, tensor(images), tensor(labels)), tensor(images)))).toEqual(
      await values(x),
    );
  });

  test.each([1, 2, 3, 4])('swapped %i times', async (count) => {
    const step = compile((a: Tensor, b: Tensor) => repeat(count, ([x, y]) => [y, x], [a, b]));
    for (const inputs of [
      [1, 2],
      [3, 4],
    ] as const) {
      const [x, y] = step(...inputs);
      expect([await x.item(), await y.item()]).toEqual(count % 2 === 0 ? inputs : [...inputs].reverse());
    }
  });

  test('the index counts, and structures come back as they were', async () => {
    const step = compile(() =>
      repeat(6, ({ total, rows }, i) => ({ total: add(total, toF32(i)), rows: [add(rows[0], i)] as const }), {
        total: tensor(0.5),
        rows: [tensor(Int32Array.of(1, 2))],
      }),
    );
    const { total, rows } = step();
    expect(await total.item()).toBe(15.5);
    expect(await values(rows[0])).toEqual([16, 17]);
  });

  test('a state of no elements, an unchanged one, a constant one, and the same tensor twice', async () => {
    const step = compile((x: Tensor) =>
      repeat(
        3,
        ({ empty, same, two }) => {
          const doubled = multiply(two[0], 2);
          return { empty: add(empty, 1), same, fixed: tensor([7]), two: [doubled, doubled] as const };
        },
        { empty: tensor([]), same: x, fixed: tensor([0]), two: [x, x] },
      ),
    );
    const { empty, same, fixed, two } = step(3);
    expect([await values(empty), await same.item(), await values(fixed)]).toEqual([[], 3, [7]]);
    expect([await two[0].item(), await two[1].item()]).toEqual([24, 24]);
  });

  test('count 0 gives the initial one', async () => {
    const x = tensor([1, 2]);
    expect(repeat(0, (state) => add(state, 1), x)).toBe(x);
    const step = compile((y: Tensor) =>
      add(
        repeat(0, (state) => add(state, 1), y),
        10,
      ),
    );
    expect(await step(5).item()).toBe(15);
  });

  test('a parameter begins it and stays as it is', async () => {
    const w = new Parameter([3]);
    const step = compile(() => repeat(4, (state) => add(state, w), w));
    expect(await values(step())).toEqual([15]);
    w.assign([1]);
    expect(await values(step())).toEqual([5]);
    expect(await values(w)).toEqual([1]);
  });
});

describe('around a repeat', () => {
  test('a thousand iterations, with numbers of their own', async () => {
    let asked = 0;
    const counted = scalar(() => ++asked);
    const step = compile((x: Tensor) => repeat(1000, (state, i) => add(add(state, toF32(i)), multiply(0, counted)), x));
    expect(await step(0.5).item()).toBe(499_500.5);
    expect(await step(1.5).item()).toBe(499_501.5);
    expect(asked).toBe(2000);
  });

  test('what is made outside is computed once, before; what reads a parameter after it sees the new one', async () => {
    const w = new Parameter([1]);
    const step = compile((x: Tensor) => {
      const noise = draws.uniform([3]);
      const before = multiply(w, 2);
      const last = repeat(5, () => {
        w.assign(add(w, x));
        return [subtract(noise, noise), noise, add(w, before)] as const;
      });
      return { noise, before, last, after: multiply(w, 2) };
    });
    for (const start of [1, 11]) {
      const { noise, before, last, after } = step(2);
      expect(await values(before)).toEqual([2 * start]);
      expect(await values(last[1])).toEqual(await values(noise));
      expect(await values(last[2])).toEqual([start + 8 + 2 * start]);
      expect(await values(after)).toEqual([2 * (start + 10)]);
    }
  });

  test('draws before, in and after it follow each other as they would in JavaScript', async () => {
    const drawn = (generator: draws.Generator) => {
      const first = generator.uniform([2]);
      const inside = repeat(3, (state) => add(state, generator.uniform([2])), first);
      return [first, inside, generator.uniform([2])] as const;
    };
    const step = compile(() => drawn(compiled));
    const [compiled, plain] = [draws.generator(4), draws.generator(4)];
    for (let i = 0; i < 2; i++) {
      const expected = await Promise.all(drawn(plain).map(values));
      expect(await Promise.all(step().map(values))).toEqual(expected);
    }
    expect(compiled.step).toBe(10);
  });

  test('two in one step, the second from the first', async () => {
    const step = compile((x: Tensor) => {
      const once = repeat(3, (state) => multiply(state, 2), x);
      const shifted = add(once, 1);
      return add(sum(repeat(2, (state) => multiply(state, shifted), shifted)), once);
    });
    for (const x of [1, -2]) expect(await step(x).item()).toBe((8 * x + 1) ** 3 + 8 * x);
  });

  test('one inside another', async () => {
    const w = new Parameter([0]);
    const step = compile((x: Tensor) =>
      repeat(
        3,
        (state, i) => {
          const scaled = multiply(state, 2);
          const inner = repeat(
            4,
            (now, j) => {
              w.assign(add(w, 1));
              return add(now, add(scaled, toF32(add(multiply(i, 10), j))));
            },
            state,
          );
          return divide(inner, 2);
        },
        x,
      ),
    );
    const expected = (x: number) => {
      let state = x;
      for (let i = 0; i < 3; i++) {
        let now = state;
        for (let j = 0; j < 4; j++) now += 2 * state + 10 * i + j;
        state = now / 2;
      }
      return state;
    };
    for (const x of [1, 4]) expect(await step(x).item()).toBe(expected(x));
    expect(await repeat(1, () => step(tensor(2))).item()).toBe(expected(2));
    expect(await values(w)).toEqual([36]);
  });

  test('an update of the step itself comes after it, and not without its own gradient', async () => {
    const w = new Parameter([2]);
    const optimizer = sgd([w], { learningRate: 1 });
    const step = compile(() => {
      const [gradient] = grad(mean(square(w)), [w]);
      optimizer.update([gradient as Tensor]);
      return repeat(2, () => {
        optimizer.update([multiply(w, 0.25)]);
        return add(w, 0);
      });
    });
    // 2 -> 1.5 -> 1.125, then less the gradient at the beginning, 4.
    expect(await values(step())).toEqual([1.5]);
    expect(await values(w)).toEqual([-2.875]);
    expect(optimizer.step).toBe(3);
  });

  test('a parameter that it returns is the parameter; values are read after', async () => {
    const w = new Parameter([1]);
    const step = compile(() =>
      repeat(10, () => {
        w.assign(multiply(w, 2));
        return w;
      }),
    );
    expect(step()).toBe(w);
    expect(await values(w)).toEqual([1024]);
  });

  test('explain shows it as one', () => {
    const step = compile((x: Tensor) => multiply(sum(repeat(40, (state) => sum(multiply(state, 2)), sum(x))), 3), {
      name: 'loop',
    });
    const [head, ...lines] = step.explain(new Float32Array(8)).split('\n');
    expect(head).toMatch(/^loop: 42 dispatches, 0 assignments, /);
    expect(lines.filter((line) => /^ {5}repeat 40 times: 1 dispatches, .*, 1 carried$/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => /^ *\d+ {2}/.test(line))).toHaveLength(3);
  });
});

describe('on an engine of its own, where nothing of other tests is collected meanwhile', () => {
  const engine = useOwnEngine();

  test('prepared without running; disposed of, it leaves nothing behind', async () => {
    const w = new Parameter(1);
    expect(await values(w)).toEqual([1]);
    const held = () => engine().memory().held;
    const before = held();
    const step = compile((x: Tensor) =>
      repeat(
        30,
        (state, i) => {
          w.assign(add(w, 1));
          return add(multiply(state, w), toF32(i));
        },
        multiply(x, 2),
      ),
    );
    await step.prepare(1);
    expect(await values(w)).toEqual([1]);
    expect(await step(0).data()).toHaveLength(1);
    expect(await values(w)).toEqual([31]);
    step.dispose();
    expect(held()).toEqual(before);
    const result = repeat(3, (state) => add(state, 1), tensor([1, 2]));
    expect(await values(result)).toEqual([4, 5]);
    result.dispose();
    expect(held().temporaries).toEqual(before.temporaries);
    expect(held().outputs).toEqual(before.outputs);
  });
});

describe('when an iteration throws', () => {
  test('what comes later is right again', async () => {
    let wrong = false;
    const number = scalar(() => {
      if (wrong) throw new RangeError('not now');
      return 2;
    });
    const step = compile((x: Tensor) =>
      repeat(
        300,
        (state, i) => {
          const next = add(state, multiply(number, toF32(i)));
          return next;
        },
        x,
      ),
    );
    expect(await step(1).item()).toBe(1 + 299 * 300);
    wrong = true;
    expect(() => step(1)).toThrow('not now');
    wrong = false;
    expect(await step(2).item()).toBe(2 + 299 * 300);
  });
});

describe('refused', () => {
  test('a count that is none', async () => {
    for (const count of [-1, 2.5, Number.NaN]) {
      expect(await complaint(() => repeat(count, (state) => state, tensor(1)))).toBe(
        `ValueError: repeat: count is ${count}; it must be a whole number, at least 0.`,
      );
    }
    expect(await complaint(() => repeat(0, () => undefined))).toBe(
      'ValueError: repeat: count is 0 and there is no initial state: nothing could be returned.\n' +
        '  Mend: give an initial state, or at least one iteration.',
    );
    expect(await complaint(() => repeat(1, tensor(1) as never))).toBe(
      'ValueError: repeat: the body is a Tensor, not a function.\n  Mend: write repeat(count, body, initial).',
    );
  });

  test('a next state that is not like the state', async () => {
    const state = { a: tensor([1, 2]), b: [tensor(1)] };
    const mend = '\n  Mend: return the same structure, shapes and dtypes as the initial state.';
    for (const [next, text] of [
      [{ a: tensor([1]), b: [tensor(1)] }, "ShapeError: repeat: the next state.a is [1], the state's [2]."],
      [{ a: tensor([1, 2]), b: [tensor(true)] }, "DtypeError: repeat: the next state.b[0] is bool, the state's f32."],
      [{ a: tensor([1, 2]), b: [] }, 'ShapeError: repeat: the next state has no state.b[0].'],
      [{ ...state, c: tensor(1) }, 'ShapeError: repeat: the next state has state.c, the state has not.'],
    ] as const) {
      expect(await complaint(() => repeat(2, () => next as never, state))).toBe(text + mend);
      expect(await complaint(() => compile(() => repeat(2, () => next as never, state))())).toBe(text + mend);
    }
    // The engine is free again.
    expect(await tensor([1]).item()).toBe(1);
  });

  test('leaves that are no tensors, and promises', async () => {
    const mend = '\n  Mend: a state is a tensor, or arrays and plain objects of tensors: tensor(0), say.';
    expect(await complaint(() => repeat(2, () => ({}) as never, { a: 1 }))).toBe(
      `DtypeError: repeat: in the initial state state.a is 1, not a Tensor.${mend}`,
    );
    expect(await complaint(() => repeat(2, () => new Float32Array(2) as never, tensor([1, 2])))).toBe(
      `DtypeError: repeat: in the next state state is a Float32Array, not a Tensor.${mend}`,
    );
    expect(await complaint(() => repeat(2, async () => tensor(1)))).toBe(
      'ValueError: repeat: the body returned a promise.\n' +
        '  Mend: await nothing inside it: read values outside, after the step.',
    );
  });

  test('a gradient through it, whatever it goes to; inside it works', async () => {
    const text =
      'GradientError: repeat: it has no derivative, and the gradient passes through it.\n' +
      '  Mend: unroll it with a JavaScript loop, or take the gradient inside its body.';
    const w = new Parameter([2]);
    const x = tensor([3]);
    const by = [
      [() => repeat(3, (state) => multiply(state, 2), x), x],
      [() => repeat(3, () => multiply(w, 2)), w],
      [() => repeat(3, (state) => multiply(state, w), x), w],
    ] as const;
    for (const [make, wrt] of by) {
      expect(await complaint(() => grad(sum(make()), [wrt]))).toBe(text);
      expect(await complaint(() => compile(() => grad(sum(make()), [wrt])[0])())).toBe(text);
    }
    // A path that does not go through it is free.
    const step = compile(
      (y: Tensor) =>
        grad(
          sum(
            multiply(
              y,
              repeat(3, (state) => multiply(state, 2), x),
            ),
          ),
          [y],
        )[0] as Tensor,
    );
    expect(await step(1).item()).toBe(24);
  });

  test('what a body made, used after it without being returned', async () => {
    let leaked: Tensor | undefined;
    const step = compile(
      (x: Tensor) => {
        const y = repeat(
          2,
          (state) => {
            leaked = square(state);
            return add(state, 1);
          },
          x,
        );
        return add(y, leaked as Tensor);
      },
      { name: 'leaky' },
    );
    expect(await complaint(() => step(1))).toBe(
      "ValueError: leaky: a result of 'square' [], made inside a repeat, is used after it.\n" +
        "  Mend: return it from the repeat's body: the last iteration's comes out.",
    );
    let state: Tensor | undefined;
    const carried = compile((x: Tensor) => {
      repeat(
        2,
        (now) => {
          state = now;
          return now;
        },
        x,
      );
      return add(state as Tensor, 1);
    });
    expect(await complaint(() => carried(1))).toContain(
      "a result of 'repeat' [], made inside a repeat, is used after it.",
    );
    expect(engine().trace).toBeUndefined();
  });

  test('a state or a result taken out of the compiled function', async () => {
    const taken: Tensor[] = [];
    const step = compile((x: Tensor) => {
      const y = repeat(
        2,
        (state) => {
          taken.push(state);
          return add(state, 1);
        },
        x,
      );
      taken.push(y);
      return y;
    });
    expect(await step(1).item()).toBe(3);
    expect(taken).toHaveLength(2);
    for (const tensor of taken) {
      expect(await complaint(() => tensor.data())).toBe(
        'ValueError: repeat: a state or a result was used outside the compiled function it belongs to.\n' +
          '  Mend: return what you need from the function.',
      );
    }
  });
});
