import { expect, test } from 'vitest';
import { compile, grad, losses, nn, optim, type Parameter, type Tensor, tensor } from '../../src/index.js';
import { statistics } from '../losses/reference.js';
import { useEngine } from '../support/engine.js';
import { random } from '../support/random.js';

useEngine();

/** A two-layer perceptron in float64, with its backward pass written out and SGD with momentum. */
class Perceptron {
  readonly parameters: Float64Array[];
  readonly #velocity: Float64Array[];

  constructor(
    readonly sizes: readonly [number, number, number],
    start: readonly ArrayLike<number>[],
  ) {
    this.parameters = start.map((values) => Float64Array.from(values));
    this.#velocity = this.parameters.map(({ length }) => new Float64Array(length));
  }

  /** One step on a batch; the loss before it. */
  step(x: ArrayLike<number>, labels: ArrayLike<number>, learningRate: number, momentum: number): number {
    const [inputs, hidden, classes] = this.sizes;
    const [w1, b1, w2, b2] = this.parameters as [Float64Array, Float64Array, Float64Array, Float64Array];
    const gradients = this.parameters.map(({ length }) => new Float64Array(length));
    const [g1, c1, g2, c2] = gradients as [Float64Array, Float64Array, Float64Array, Float64Array];
    const batch = labels.length;
    let loss = 0;
    const add = (into: Float64Array, i: number, value: number) => {
      into[i] = (into[i] ?? 0) + value;
    };
    for (let n = 0; n < batch; n++) {
      const h = Array.from({ length: hidden }, (_, j) => {
        let sum = b1[j] ?? 0;
        for (let i = 0; i < inputs; i++) sum += (x[n * inputs + i] ?? 0) * (w1[i * hidden + j] ?? 0);
        return Math.max(0, sum);
      });
      const z = Array.from({ length: classes }, (_, k) => {
        let sum = b2[k] ?? 0;
        for (let j = 0; j < hidden; j++) sum += (h[j] ?? 0) * (w2[j * classes + k] ?? 0);
        return sum;
      });
      const y = labels[n] ?? 0;
      const { c, p } = statistics(z, y);
      loss += c / batch;
      const dz = p.map((value, k) => (value - (k === y ? 1 : 0)) / batch);
      for (let j = 0; j < hidden; j++) {
        let dh = 0;
        dz.forEach((d, k) => {
          add(g2, j * classes + k, (h[j] ?? 0) * d);
          dh += d * (w2[j * classes + k] ?? 0);
        });
        if ((h[j] ?? 0) <= 0) continue;
        add(c1, j, dh);
        for (let i = 0; i < inputs; i++) add(g1, i * hidden + j, (x[n * inputs + i] ?? 0) * dh);
      }
      dz.forEach((d, k) => {
        add(c2, k, d);
      });
    }
    this.parameters.forEach((parameter, i) => {
      const velocity = this.#velocity[i] as Float64Array;
      parameter.forEach((value, j) => {
        velocity[j] = momentum * (velocity[j] ?? 0) + (gradients[i]?.[j] ?? 0);
        parameter[j] = value - learningRate * (velocity[j] ?? 0);
      });
    });
    return loss;
  }
}

test('20 steps of a perceptron follow float64 to 1e-4 of the loss, and the weights with it', async () => {
  const sizes = [37, 65, 10] as const;
  const batch = 33;
  const draw = random(11);
  const model = nn.sequential(nn.linear(37, 65), nn.relu(), nn.linear(65, 10));
  const parameters = model.parameters();
  const starts = parameters.map((p) => draw.floats(p.size, ({ normal }) => (p.rank === 2 ? 0.2 * normal() : 0)));
  parameters.forEach((p, i) => {
    p.assign(tensor(starts[i] as Float32Array, { shape: p.shape }));
  });
  const reference = new Perceptron(sizes, starts);
  const optimizer = optim.sgd(parameters, { learningRate: 0.1, momentum: 0.9 });
  const step = compile((x: Tensor, labels: Tensor) => {
    const loss = losses.crossEntropy(model(x), labels);
    optimizer.update(grad(loss, parameters));
    return loss;
  });
  for (let i = 0; i < 20; i++) {
    const x = draw.floats(batch * sizes[0], ({ normal }) => normal());
    const labels = Uint32Array.from({ length: batch }, () => draw.below(10));
    const loss = await step({ data: x, shape: [batch, sizes[0]] }, labels).item();
    const wanted = reference.step(x, labels, 0.1, 0.9);
    expect(Math.abs(loss / wanted - 1), `step ${i}: ${loss} for ${wanted}`).toBeLessThan(1e-4);
  }
  for (const [i, p] of (parameters as Parameter[]).entries()) {
    const data = await p.data();
    data.forEach((value, j) => {
      // 20 steps of sums of 33 to 65 products below 4: 20 * 65 * 2^-24, times the momentum's 10 * 0.1.
      expect(Math.abs(value - (reference.parameters[i]?.[j] ?? Number.NaN)), `parameter ${i}[${j}]`).toBeLessThan(8e-5);
    });
  }
});
