/** Cotangent: train models on the GPU, in a browser. Everything public is listed here. */

export { type CustomGradient, customGradient, stopGradient } from './autograd/customGradient.js';
export { type GradOptions, grad, hvp, type TensorTree, valueAndGrad, vjp } from './autograd/grad.js';
export {
  defineLoss,
  type Loss,
  type LossDeclaration,
  type LossOptions,
  type LossParameter,
} from './custom/defineLoss.js';
export * from './data/index.js';
export * from './errors.js';
export { type CompiledFunction, type CompileOptions, compile, explain } from './graph/compile.js';
export type { DType, TypedArray } from './graph/dtype.js';
export type { Engine, EngineOptions } from './graph/engine.js';
export type { MemoryReport } from './graph/heap.js';
export type { HostArray } from './graph/hostArray.js';
export { createEngine, init, loadTunerChoices, memory, tunerChoices } from './graph/init.js';
export { Parameter, type ParameterOptions } from './graph/parameter.js';
export { repeat } from './graph/repeat.js';
export { keep, scope } from './graph/scope.js';
export type { Shape } from './graph/shape.js';
export { constant, scalar, type TensorData, type TensorOptions, tensor } from './graph/source.js';
export { Tensor, type TensorLike } from './graph/tensor.js';
export type { TuneOptions } from './kernels/tuner.js';
export type { TunerChoices } from './kernels/tunerChoices.js';
export type { TunerStore } from './kernels/tunerStore.js';
export * as losses from './losses/index.js';
export * as nn from './nn/index.js';
export * from './ops/index.js';
export * as random from './ops/random.js';
export * as optim from './optim/index.js';
export * from './profile/index.js';
export * as theory from './theory/index.js';
export * from './train/index.js';
