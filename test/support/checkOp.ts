import { expect } from 'vitest';
import { vjp } from '../../src/autograd/grad.js';
import { engine } from '../../src/graph/current.js';
import { isFloat, type TypedArray } from '../../src/graph/dtype.js';
import { tensor } from '../../src/graph/source.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { directionalDerivative } from '../reference/differences.js';
import { type Bindings, evaluate } from '../reference/evaluate.js';
import { at, type Value } from '../reference/value.js';
import { show } from './cases.js';
import { expectClose } from './compare.js';
import { random } from './random.js';

export interface OpCase {
  /** Names the op and its options. */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly apply: (...inputs: Tensor[]) => Tensor;
  readonly seed?: number;
  /** Which derivatives to check: 0 none, 1 the gradient (default), 2 the gradient of the gradient as well. */
  readonly derivatives?: 0 | 1 | 2;
  /** Integer cotangents, so that what is exact stays exact. */
  readonly integers?: boolean;
  /** Share of elements that near ties may leave without a bound. Default 0. */
  readonly undecided?: number;
  /** Only for what central differences cannot see: kinks, stopped gradients. */
  readonly differences?: boolean;
  readonly shape?: readonly number[];
  readonly dtype?: string;
}

/**
 * Three independent answers are compared: the GPU's f32 values of the output, the gradients and their
 * gradients with the float64 reference of the same graphs, within its running error bounds; and the
 * reference of each gradient graph with central differences of the reference of the function.
 */
export async function checkOp(given: OpCase): Promise<void> {
  const { inputs, derivatives = 1, seed = 1 } = given;
  const label = `${given.name} ${inputs.map(({ shape, dtype }) => `${dtype}${show(shape)}`).join(' ')}, seed ${seed}`;
  const output = given.apply(...inputs);
  if (given.shape !== undefined) expect(output.shape, label).toEqual(given.shape);
  if (given.dtype !== undefined) expect(output.dtype, label).toBe(given.dtype);
  const wrt = inputs.filter(({ dtype }) => isFloat(dtype));
  const graphs: { what: string; tensor: Tensor }[] = [{ what: 'value', tensor: output }];
  const draw = random(seed);
  const weights = (like: Tensor) =>
    tensor(
      draw.floats(like.size, (r) => (given.integers ? r.integer(-3, 3) : r.normal())),
      { shape: like.shape },
    );
  const steps: { outputs: Tensor[]; cotangents: Tensor[]; gradients: Tensor[]; what: string }[] = [];
  let outputs = [output];
  for (let order = 1; order <= derivatives && wrt.length > 0 && isFloat(output.dtype); order++) {
    const what = order === 1 ? 'gradient' : 'second derivative';
    const cotangents = outputs.map(weights);
    const gradients = vjp(outputs, wrt, cotangents);
    gradients.forEach((gradient, i) => {
      expect(gradient.shape, `${label}: shape of ${what} ${i}`).toEqual(wrt[i]?.shape);
      graphs.push({ what: `${what} ${i}`, tensor: gradient });
    });
    steps.push({ outputs, cotangents, gradients, what });
    outputs = gradients;
  }
  const got = await readAll(graphs.map((graph) => graph.tensor));
  const references = evaluate(graphs.map((graph) => graph.tensor));
  graphs.forEach(({ what, tensor: { shape, dtype } }, i) => {
    const reference = references[i] as Value;
    expect(reference.shape, label).toEqual(shape);
    expectKind(dtype, got[i] as TypedArray, label);
    expectClose(got[i] as TypedArray, reference, { what, label, undecided: given.undecided ?? 0 });
  });
  if (given.differences !== false) for (const step of steps) checkDifferences(step, wrt, label, seed);
}

/** All in one run. */
export async function readAll(tensors: readonly Tensor[]): Promise<TypedArray[]> {
  engine('test').compute(tensors.filter(({ size }) => size > 0));
  return Promise.all(tensors.map((one) => one.data()));
}

function expectKind(dtype: string, data: TypedArray, label: string): void {
  const kind = dtype === 'f32' || dtype === 'f16' ? Float32Array : dtype === 'i32' ? Int32Array : Uint32Array;
  if (!(data instanceof kind)) expect.fail(`${label}: a ${dtype} came as ${data.constructor.name}`);
}

/** Inputs up to so many elements are moved one by one; larger ones along random directions. */
const EACH = 24;
const DIRECTIONS = 2;

function checkDifferences(
  {
    outputs,
    cotangents,
    gradients,
    what,
  }: { outputs: Tensor[]; cotangents: Tensor[]; gradients: Tensor[]; what: string },
  wrt: readonly Tensor[],
  label: string,
  seed: number,
): void {
  const draw = random(seed + 1);
  const weights = cotangents.map((cotangent) => evaluate(cotangent).data);
  const bindings: Bindings = new Map();
  const references = evaluate(gradients);
  wrt.forEach((input, i) => {
    const gradient = (references[i] as Value).data;
    const directions =
      input.size <= EACH
        ? Array.from({ length: input.size }, (_, k) =>
            Float64Array.from({ length: input.size }, (_, j) => Number(j === k)),
          )
        : Array.from({ length: DIRECTIONS }, () => Float64Array.from({ length: input.size }, () => draw.normal()));
    for (const direction of directions) {
      const numeric = directionalDerivative(outputs, weights, input, direction, bindings);
      let exact = 0;
      let size = 0;
      for (let k = 0; k < gradient.length; k++) {
        if (at(direction, k) === 0) continue;
        exact += at(gradient, k) * at(direction, k);
        size += Math.abs(at(gradient, k) * at(direction, k));
      }
      // Constants of the rules are f32 (2^-24 each, a handful a rule), differences are good to 1e-9 of the
      // function's size and 1e-7 of higher derivatives of order 100: 1e-5 of the terms, and of 1 near zero.
      const allowed = 1e-5 * (1 + size);
      if (!(Math.abs(numeric - exact) <= allowed)) {
        expect.fail(
          `${label}:\n${what} ${i} along direction ${directions.indexOf(direction)} is ${exact}, central differences ` +
            `of the reference give ${numeric}, off by ${Math.abs(numeric - exact).toExponential(1)} (allowed ${allowed.toExponential(1)})`,
        );
      }
    }
  });
}
