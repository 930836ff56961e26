import { describe, expect, test } from 'vitest';
import compSumWgsl from '../../shaders/losses/compSum.wgsl';
import {
  compile,
  defineLoss,
  exp,
  grad,
  hvp,
  logsumexp,
  losses,
  multiply,
  negative,
  oneHot,
  optim,
  Parameter,
  scalar,
  softplus,
  subtract,
  sum,
  type Tensor,
  takeByLabel,
  tensor,
  where,
} from '../../src/index.js';
import type { WgslModule } from '../../src/kernels/wgslModule.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';

useEngine();

const focalWgsl = `
// include losses/row.wgsl
struct Parameters { gamma: f32 }

// q^gamma c with q = 1 - p
fn doubt(row: Row) -> f32 { return max(row.complement, 1e-37); }

fn finish(row: Row, parameters: Parameters) -> f32 {
  return pow(doubt(row), parameters.gamma) * row.crossEntropy;
}

fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 {
  let q = doubt(row);
  let g = parameters.gamma;
  return pow(q, g) * (1.0 + g * row.probability * (row.crossEntropy / q)) * j.residual;
}
`;

const focal = defineLoss({
  name: 'focal',
  source: 'Lin et al. 2017, eq. 5',
  parameters: { gamma: { default: 2, min: 0 } },
  wgsl: focalWgsl,
  definition: (logits, labels, { gamma }) => {
    const isLabel = oneHot(labels, logits.shape[1] ?? 0, { dtype: 'bool' });
    const others = logsumexp(where(isLabel, Number.NEGATIVE_INFINITY, logits), { axes: -1 });
    const x = subtract(others, takeByLabel(logits, labels));
    return multiply(exp(negative(multiply(gamma, softplus(negative(x))))), softplus(x));
  },
});

function rowsOf(rows: number, classes: number, seed: number) {
  const draw = random(seed);
  const data = draw.floats(rows * classes, ({ normal }) => normal());
  return { data, labels: Int32Array.from({ length: rows }, () => draw.below(classes)), shape: [rows, classes] };
}

/** Focal loss in float64, and its gradient by central differences. */
function reference(z: readonly number[], y: number, gamma: number): { value: number; gradient: number[] } {
  const value = (at: readonly number[]) => {
    const total = at.reduce((s, x) => s + Math.exp(x), 0);
    const p = Math.exp(at[y] ?? 0) / total;
    return -((1 - p) ** gamma) * Math.log(p);
  };
  const step = 1e-5;
  const gradient = z.map((_, j) => {
    const moved = (by: number) => value(z.map((x, k) => (k === j ? x + by : x)));
    return (moved(step) - moved(-step)) / (2 * step);
  });
  return { value: value(z), gradient };
}

describe("a user's loss in WGSL", () => {
  test.each([0, 1, 2, 3.5])('gamma %f: value and gradient follow float64', async (gamma) => {
    const { data, labels, shape } = rowsOf(37, 11, 41);
    const logits = new Parameter(tensor(data, { shape }));
    const values = focal(logits, labels, { gamma, reduction: 'none' });
    const [gradient] = grad(sum(values), [logits]) as [Tensor];
    const [value, slope] = await Promise.all([values.data(), gradient.data()]);
    labels.forEach((y, i) => {
      const wanted = reference(Array.from(data.subarray(11 * i, 11 * i + 11)), y, gamma);
      // WGSL's pow is exp2(y log2 x): some 20 ulp here, on values below 12.
      expect(value[i]).toBeCloseTo(wanted.value, 4);
      wanted.gradient.forEach((g, j) => {
        expect(slope[11 * i + j]).toBeCloseTo(g, 4);
      });
    });
  });

  test('gets reductions, weights, second derivatives and gradients by its parameters', async () => {
    const { data, labels, shape } = rowsOf(5, 4, 3);
    const logits = new Parameter(tensor(data, { shape }));
    const gamma = new Parameter(1.5);
    const loss = () => focal(logits, labels, { gamma, sampleWeights: [1, 2, 0, 1, 1] });
    const [byGamma] = grad(loss(), [gamma]) as [Tensor];
    const at = (g: number) => {
      const weights = [1, 2, 0, 1, 1];
      const rows = weights.map(
        (w, i) => w * reference(Array.from(data.subarray(4 * i, 4 * i + 4)), labels[i] ?? 0, g).value,
      );
      return rows.reduce((a, b) => a + b) / 5;
    };
    expect(await loss().item()).toBeCloseTo(at(1.5), 5);
    expect(await byGamma.item()).toBeCloseTo((at(1.5001) - at(1.4999)) / 2e-4, 3);
    const v = tensor(new Float32Array(20).fill(0.5), { shape: [5, 4] });
    const [product] = hvp(loss(), [logits], [v]) as [Tensor];
    // Along (1, …, 1) the loss does not change: the product is zero.
    (await product.data()).forEach((x) => {
      expect(Math.abs(x)).toBeLessThan(1e-5);
    });
  });

  test('without a definition its second derivative is an error that says so', () => {
    const bare = defineLoss({ name: 'bare', source: 'a test', wgsl: focalWgsl, parameters: { gamma: { default: 1 } } });
    const logits = new Parameter([[1, 2]]);
    expect(() => hvp(bare(logits, new Int32Array([0])), [logits], [tensor([[1, 1]])])).toThrow(
      'losses.bare: the second derivative needs its definition in public ops, and it has none.',
    );
  });

  test('two losses of one name are two losses', async () => {
    const constantLoss = (value: string) =>
      defineLoss({
        name: 'same',
        source: 'a test',
        wgsl: `// include losses/row.wgsl
          fn finish(row: Row, parameters: Parameters) -> f32 { return ${value}; }
          fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 { return 0.0; }`,
      });
    const [one, two] = [constantLoss('1.0'), constantLoss('2.0')];
    const logits = tensor([[1, 2]]);
    expect(await one(logits, new Int32Array([0])).item()).toBe(1);
    expect(await two(logits, new Int32Array([0])).item()).toBe(2);
  });

  test("brings copies of the library's files when a user's bundler read it", async () => {
    const copy = (module: WgslModule): WgslModule => ({ ...module, includes: module.includes.map(copy) });
    const own = defineLoss({
      name: 'own',
      source: 'a test',
      parameters: { tau: { default: 1.5 } },
      wgsl: copy(compSumWgsl),
    });
    const { data, labels, shape } = rowsOf(5, 4, 3);
    const logits = tensor(data, { shape });
    expect(await own(logits, labels).item()).toBe(await losses.compSum(logits, labels, { tau: 1.5 }).item());
  });

  test('is refused, in words, when its WGSL is not what it declares', async () => {
    const make =
      (wgsl: string, parameters = {}) =>
      () =>
        defineLoss({ name: 'mine', source: 'a test', wgsl, parameters });
    expect(make('fn finish(row: Row, parameters: Parameters) -> f32 { return 0.0; }')).toThrow(
      "mine: there is no function 'gradient'.",
    );
    expect(make(focalWgsl, { gama: { default: 1 } })).toThrow(
      "mine: struct Parameters has no field 'gama: f32', but the loss declares it. Did you mean 'gamma'?",
    );
    expect(make('// include losses/rows.wgsl\n')).toThrow(
      "mine: cannot include 'losses/rows.wgsl'. Did you mean 'losses/row.wgsl'?",
    );
    const broken = make(focalWgsl.replace('row.crossEntropy;', 'row.crossEntropie;'), { gamma: { default: 1 } })();
    await expect(broken(tensor([[1, 2]]), new Int32Array([0])).item()).rejects.toThrow('crossEntropie');
  });

  test('whose WGSL does not compile rejects the next read, once, when an update outside a step used it', async () => {
    const wgsl = focalWgsl.replace('j.residual', 'j.residue');
    const broken = defineLoss({ name: 'mine', source: 'a test', wgsl, parameters: { gamma: { default: 1 } } });
    const logits = new Parameter([[1, 2]]);
    const sgd = optim.sgd([logits], { learningRate: 1 });
    sgd.update(grad(broken(logits, new Int32Array([0])), [logits]));
    await expect(logits.data()).rejects.toThrow('residue');
    await logits.data();
  });

  test('whose WGSL does not compile says so though the first run of the step threw', async () => {
    const wgsl = focalWgsl.replace('row.crossEntropy;', 'row.crossEntropie;');
    const broken = defineLoss({ name: 'mine', source: 'a test', wgsl, parameters: { gamma: { default: 1 } } });
    let fails = true;
    const factor = scalar(() => {
      if (fails) throw new RangeError('not now');
      return 2;
    });
    const step = compile((logits: Tensor) => multiply(broken(logits, new Int32Array([0])), factor));
    const logits = tensor([[1, 2]]);
    expect(() => step(logits)).toThrow('not now');
    fails = false;
    await expect(step(logits).item()).rejects.toThrow('crossEntropie');
  });
});

test('meanSquaredError follows float64, value and gradient, in all reductions', async () => {
  const draw = random(5);
  const [a, b] = [draw.floats(35, ({ normal }) => normal()), draw.floats(35, ({ normal }) => normal())];
  const predictions = new Parameter(tensor(a, { shape: [5, 7] }));
  const targets = tensor(b, { shape: [5, 7] });
  const squares = Array.from(a, (x, i) => (x - (b[i] ?? 0)) ** 2);
  const total = squares.reduce((s, x) => s + x);
  expect(await losses.meanSquaredError(predictions, targets).item()).toBeCloseTo(total / 35, 5);
  expect(await losses.meanSquaredError(predictions, targets, { reduction: 'sum' }).item()).toBeCloseTo(total, 4);
  (await losses.meanSquaredError(predictions, targets, { reduction: 'none' }).data()).forEach((x, i) => {
    expect(x).toBeCloseTo(squares[i] ?? 0, 5);
  });
  const [gradient] = grad(losses.meanSquaredError(predictions, targets), [predictions]) as [Tensor];
  (await gradient.data()).forEach((g, i) => {
    expect(g).toBeCloseTo((2 * ((a[i] ?? 0) - (b[i] ?? 0))) / 35, 6);
  });
  // Its Hessian is 2 / 35 times the identity.
  const v = draw.floats(35, ({ normal }) => normal());
  const product = hvp(losses.meanSquaredError(predictions, targets), predictions, tensor(v, { shape: [5, 7] }));
  (await product.data()).forEach((x, i) => {
    expect(x).toBeCloseTo((2 / 35) * (v[i] ?? 0), 6);
  });
  const lines = compile(() => {
    const value = losses.meanSquaredError(predictions, targets);
    predictions.assign(grad(value, [predictions])[0] as Tensor);
    return value;
  }).explain();
  expect(lines.split('\n').filter((line) => /^ +\d+ .*squaredError/.test(line)).length, lines).toBe(1);
});
