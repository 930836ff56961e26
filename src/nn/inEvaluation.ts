import type { Tensor } from '../graph/tensor.js';
import type { Module } from './module.js';

/**
 * Calls `body` with a model in evaluation mode, and then puts its own back: an attack inside a training step, a frozen
 * teacher. The mode is fixed there, not observed: a compiled step needs no other plan when the model's own changes.
 *
 * @param model a module; a plain function is taken as it is.
 */
export function inEvaluation<Result>(model: Module | ((x: Tensor) => Tensor), body: () => Result): Result {
  const modules = 'modules' in model ? [...new Set(model.modules())] : [];
  const before = modules.map((one) => one.fixMode(false));
  try {
    return body();
  } finally {
    for (const [i, one] of modules.entries()) one.fixMode(before[i]);
  }
}
