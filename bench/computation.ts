import { compile, profile, type Tensor, tensor } from '../src/index.js';
import { type Case, type Contender, defineCase, type Expected, type Peers, type Tolerance } from './case.js';
import { awaitTensor } from './peers/awaitTensor.js';
import type { JaxArray, JaxJs } from './peers/jaxJs.js';
import type { TensorFlow, TfTensor } from './peers/tfjs.js';
import { symmetric } from './random.js';

type Values = Float32Array<ArrayBuffer>;

interface Operand {
  readonly shape: readonly number[];
  /** Uniform in [-bound, bound). */
  readonly bound: number;
  /** How our engine stores it; 'plain' stores f32. The numbers are some that f16 holds, for others would not be equal. */
  readonly dtype?: 'f16';
}

/** Multiples of this from -1 to 1 are f16. */
const GRAIN = 2 ** -10;

/** One array computed from others, the same by every engine. */
export interface Computation {
  readonly name: string;
  readonly operands: readonly Operand[];
  readonly flops?: number;
  /** That it cannot help moving. */
  readonly bytes?: number;
  reference(operands: readonly Values[]): Expected;
  readonly tolerance: Tolerance;
  ours(...operands: Tensor[]): Tensor;
  /** Consumes each operand once, as jax-js does. Without it, and tfjs, the case compares with f32 of our own. */
  jaxJs?(jax: JaxJs, ...operands: JaxArray[]): JaxArray;
  tfjs?(tf: TensorFlow, ...operands: TfTensor[]): TfTensor;
}

/** The case of a computation: its contenders differ in nothing but its bodies, or in how operands are stored. */
export function computation(given: Computation): Case {
  const { name, operands, flops, bytes, tolerance, jaxJs, tfjs } = given;
  const stored = operands.some(({ dtype }) => dtype !== undefined);
  const inFloats = operands.map(({ shape, bound }) => ({ shape, bound }));
  const peers: Peers<readonly Values[]> = {
    ...(stored && { plain: (_, values) => ours({ ...given, operands: inFloats }, values) }),
    ...(jaxJs && { 'jax-js': (jax, values) => byJaxJs(jax, operands, values, (...arrays) => jaxJs(jax, ...arrays)) }),
    ...(tfjs && { tfjs: (tf, values) => byTfjs(tf, operands, values, (...tensors) => tfjs(tf, ...tensors)) }),
  };
  return defineCase<readonly Values[]>({
    name,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
    repeatable: true,
    inputs: (seed) =>
      operands.map(({ shape, bound, dtype }, i) => {
        const values = symmetric(sizeOf(shape), bound, operands.length * seed + i + 1);
        return dtype === 'f16' ? values.map((value) => Math.round(value / GRAIN) * GRAIN) : values;
      }),
    reference: (values) => ({ result: given.reference(values) }),
    tolerance: () => tolerance,
    ours: (values) => ours(given, values),
    peers,
  });
}

async function ours({ name, operands, ours: apply }: Computation, values: readonly Values[]): Promise<Contender> {
  const tensors = values.map((data, i) =>
    tensor(data, { shape: shapeOf(operands, i), dtype: operands[i]?.dtype ?? 'f32' }),
  );
  const body = compile(() => apply(...tensors), { name });
  await body.prepare();
  let result = body();
  return {
    run: () => {
      result = body();
    },
    settle: () => body.ready(),
    results: async () => ({ result: (await result.data()) as Float32Array }),
    explain: () => body.explain(),
    profile: () => profile(body),
    dispose: () => {
      body.dispose();
      for (const each of tensors) each.dispose();
    },
  };
}

async function byJaxJs(
  jax: JaxJs,
  operands: readonly Operand[],
  values: readonly Values[],
  apply: (...arrays: JaxArray[]) => JaxArray,
): Promise<Contender> {
  const arrays = values.map((data, i) => jax.numpy.array(data, { shape: shapeOf(operands, i) }));
  const body = jax.jit(apply);
  let result = body(...arrays.map(({ ref }) => ref));
  return {
    run: () => {
      result.dispose();
      result = body(...arrays.map(({ ref }) => ref));
      // A value let go before it was asked for is never computed.
      result.ref.gpuBufferSync();
    },
    settle: async () => {
      await result.blockUntilReady();
    },
    results: async () => ({ result: await result.ref.data() }),
    dispose: () => {
      for (const array of [result, ...arrays]) array.dispose();
      body.dispose();
    },
  };
}

async function byTfjs(
  tf: TensorFlow,
  operands: readonly Operand[],
  values: readonly Values[],
  apply: (...tensors: TfTensor[]) => TfTensor,
): Promise<Contender> {
  const tensors = values.map((data, i) => tf.tensor(data, shapeOf(operands, i)));
  const body = () => tf.tidy(() => apply(...tensors));
  let result = body();
  return {
    run: () => {
      result.dispose();
      result = body();
    },
    settle: () => awaitTensor(tf, result),
    results: async () => ({ result: await result.data() }),
    dispose: () => {
      for (const each of [result, ...tensors]) each.dispose();
    },
  };
}

function shapeOf(operands: readonly Operand[], i: number): readonly number[] {
  return operands[i]?.shape ?? [];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
