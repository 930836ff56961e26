import { compile, profile, type Tensor, tensor } from '../src/index.js';
import { type Case, defineCase, type Expected, type Peers, type Tolerance } from './case.js';
import { awaitTensor } from './peers/awaitTensor.js';
import type { JaxArray, JaxJs } from './peers/jaxJs.js';
import type { TensorFlow, TfTensor } from './peers/tfjs.js';
import { symmetric } from './random.js';

type Values = Float32Array<ArrayBuffer>;

interface Operand {
  readonly shape: readonly number[];
  /** Uniform in [-bound, bound). */
  readonly bound: number;
}

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
  /** Consumes each operand once, as jax-js does. */
  jaxJs(jax: JaxJs, ...operands: JaxArray[]): JaxArray;
  tfjs(tf: TensorFlow, ...operands: TfTensor[]): TfTensor;
}

/** The case of a computation: its contenders differ in nothing but its three bodies. */
export function computation(given: Computation): Case {
  const { name, operands, flops, bytes, tolerance } = given;
  const peers: Peers<readonly Values[]> = {
    'jax-js': async (jax, values) => {
      const arrays = values.map((data, i) => jax.numpy.array(data, { shape: shapeOf(operands, i) }));
      const body = jax.jit((...inputs: JaxArray[]) => given.jaxJs(jax, ...inputs));
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
    },
    tfjs: async (tf, values) => {
      const tensors = values.map((data, i) => tf.tensor(data, shapeOf(operands, i)));
      const body = () => tf.tidy(() => given.tfjs(tf, ...tensors));
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
    },
  };
  return defineCase<readonly Values[]>({
    name,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
    repeatable: true,
    inputs: (seed) =>
      operands.map(({ shape, bound }, i) => symmetric(sizeOf(shape), bound, operands.length * seed + i + 1)),
    reference: (values) => ({ result: given.reference(values) }),
    tolerance: () => tolerance,
    ours: async (values) => {
      const tensors = values.map((data, i) => tensor(data, { shape: shapeOf(operands, i) }));
      const body = compile(() => given.ours(...tensors), { name });
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
    },
    peers,
  });
}

function shapeOf(operands: readonly Operand[], i: number): readonly number[] {
  return operands[i]?.shape ?? [];
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
