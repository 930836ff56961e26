import { ValueError } from '../errors.js';
import { type Module, module } from './module.js';

/** Modules one after another; their parameters are named by position: `0.weight`, `2.bias`. */
export function sequential(...parts: readonly Module[]): Module {
  parts.forEach((part, i) => {
    if (typeof part !== 'function' || typeof part.parameters !== 'function') {
      throw new ValueError('nn.sequential', `part ${i} is not a module.`, {
        mend: 'wrap a plain function: nn.module({ description, forward }).',
      });
    }
  });
  return module({
    description: `sequential(${parts.map((part) => part.description).join(', ')})`,
    children: Object.fromEntries(parts.map((part, i) => [String(i), part])),
    forward: (x) => parts.reduce((value, part) => part(value), x),
  });
}
