/** Cotangent: train models on the GPU, in a browser. Everything public is listed here. */
export * as losses from './losses/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export * as random from './ops/random.js';

export { grad, type GradOptions, hvp, type TensorTree, valueAndGrad, vjp } from './autograd/grad.js';
export { customGradient, type CustomGradient, stopGradient } from './autograd/customGradient.js';
export { defineLoss, type Loss, type LossDeclaration, type LossOptions, type LossParameter } from './custom/defineLoss.js';
export * from './data/index.js';
export * from './errors.js';
export { compile, type CompiledFunction, type CompileOptions, explain } from './graph/compile.js';
export type { DType, TypedArray } from './graph/dtype.js';
export { type Engine, type EngineOptions, keep, type MemoryReport, scope } from './graph/engine.js';
export { createEngine, init, memory } from './graph/init.js';
export type { HostArray } from './graph/hostArray.js';
export { Parameter, type ParameterOptions } from './graph/parameter.js';
export type { Shape } from './graph/shape.js';
export { constant, scalar, tensor, type TensorData, type TensorOptions } from './graph/source.js';
export { Tensor, type TensorLike } from './graph/tensor.js';
export * from './ops/index.js';
export * from './train/index.js';
