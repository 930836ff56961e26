/** The part of `@jax-js/jax` 0.1.25 that the cases use. Each use of a value consumes it; `.ref` keeps one. */
export interface JaxArray {
  readonly ref: JaxArray;
  readonly shape: readonly number[];
  add(other: JaxArray | number): JaxArray;
  sub(other: JaxArray | number): JaxArray;
  mul(other: JaxArray | number): JaxArray;
  div(other: JaxArray | number): JaxArray;
  sum(axis?: number): JaxArray;
  transpose(order?: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  /** Submits what the value needs, at once, and consumes it; `data` and `blockUntilReady` do so later. */
  gpuBufferSync(): GPUBuffer;
  blockUntilReady(): Promise<JaxArray>;
  dispose(): void;
}

export type JaxTree = JaxArray | readonly JaxTree[];

export interface JaxJs {
  readonly numpy: {
    array(data: Float32Array, options: { shape: readonly number[] }): JaxArray;
    matmul(a: JaxArray, b: JaxArray): JaxArray;
    zeros(shape: readonly number[]): JaxArray;
    sqrt(x: JaxArray): JaxArray;
    exp(x: JaxArray): JaxArray;
    tanh(x: JaxArray): JaxArray;
    abs(x: JaxArray): JaxArray;
  };
  readonly lax: {
    /** Channels first: images [n, c, h, w], weight [outputs, inputs, h, w]. */
    convGeneralDilated(x: JaxArray, weight: JaxArray, strides: readonly number[], padding: 'SAME'): JaxArray;
  };
  readonly nn: {
    relu(x: JaxArray): JaxArray;
    softmax(x: JaxArray): JaxArray;
    logSoftmax(x: JaxArray): JaxArray;
  };
  readonly tree: { ref<T extends JaxTree>(tree: T): T };
  jit<F extends (...inputs: never[]) => JaxTree>(body: F): F & { dispose(): void };
  grad<Rest extends readonly JaxArray[]>(
    body: (first: JaxArray, ...rest: Rest) => JaxArray,
  ): (first: JaxArray, ...rest: Rest) => JaxArray;
  valueAndGrad<T extends JaxTree, Rest extends readonly unknown[]>(
    body: (first: T, ...rest: Rest) => JaxArray,
  ): (first: T, ...rest: Rest) => [JaxArray, T];
  init(...devices: 'webgpu'[]): Promise<readonly string[]>;
  defaultDevice(device: 'webgpu'): string;
}

export async function loadJaxJs(): Promise<JaxJs> {
  const jax = await import('@jax-js/jax');
  const devices = await jax.init('webgpu');
  if (!devices.includes('webgpu')) throw new Error('jax-js found no WebGPU device.');
  jax.defaultDevice('webgpu');
  return jax;
}
