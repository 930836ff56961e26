import coreUrl from '../node_modules/@tensorflow/tfjs/dist/tf.min.js?url';
import backendUrl from '../node_modules/@tensorflow/tfjs-backend-webgpu/dist/tf-backend-webgpu.min.js?url';

/** The part of `@tensorflow/tfjs` 4.22.0 that the cases use. */
export interface TfTensor {
  readonly shape: readonly number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

export interface TfVariable extends TfTensor {
  readonly trainable: boolean;
  readonly name: string;
}

export interface TfOptimizer {
  minimize(body: () => TfTensor, returnCost: true): TfTensor;
  applyGradients(gradients: readonly { name: string; tensor: TfTensor }[]): void;
  dispose(): void;
}

export interface TensorFlow {
  setBackend(name: 'webgpu'): Promise<boolean>;
  getBackend(): string;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(initial: TfTensor): TfVariable;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  conv2d(x: TfTensor, weight: TfTensor, strides: number, pad: 'same'): TfTensor;
  conv2dTranspose(x: TfTensor, weight: TfTensor, shape: readonly number[], strides: number, pad: 'same'): TfTensor;
  engine(): {
    runKernel(name: string, inputs: Record<string, TfTensor>, attributes: Record<string, unknown>): TfTensor;
  };
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  tidy<T>(body: () => T): T;
  softmax(x: TfTensor): TfTensor;
  sum(x: TfTensor, axis?: number): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  sqrt(x: TfTensor): TfTensor;
  abs(x: TfTensor): TfTensor;
  exp(x: TfTensor): TfTensor;
  tanh(x: TfTensor): TfTensor;
  /** Bytes of the tensors that live, without what the backend keeps for reuse. */
  memory(): { numBytes: number };
  profile(body: () => void): Promise<{ peakBytes: number }>;
  valueAndGrad(body: (x: TfTensor) => TfTensor): (x: TfTensor) => { value: TfTensor; grad: TfTensor };
  readonly fused: {
    matMul(options: { a: TfTensor; b: TfTensor; bias?: TfTensor; activation?: 'relu' | 'linear' }): TfTensor;
  };
  readonly losses: { softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor };
  readonly train: {
    momentum(learningRate: number, momentum: number): TfOptimizer;
    adam(learningRate: number, beta1: number, beta2: number, epsilon: number): TfOptimizer;
  };
}

/** The bundles they publish for pages, as script tags: they are no ES modules. */
export async function loadTfjs(): Promise<TensorFlow> {
  await addScript(coreUrl);
  await addScript(backendUrl);
  const { tf } = globalThis as unknown as { tf: TensorFlow };
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs refused its WebGPU backend.');
  await tf.ready();
  return tf;
}

function addScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => reject(new Error(`${url} did not load.`));
    document.head.append(script);
  });
}
