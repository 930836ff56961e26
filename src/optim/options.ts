import { checkNames, ValueError } from '../errors.js';
import { isNumber, Tensor } from '../graph/tensor.js';

/** Refuses options that nobody reads, numbers that are not numbers or negative, and tensors that the host cannot read. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  checkNames(op, options, known);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined)
      throw new ValueError(op, `${name} is undefined.`, { mend: 'leave the option out for its default.' });
    if (typeof value === 'number' && !(value >= 0))
      throw new ValueError(op, `${name} is ${value}; it must be at least 0.`);
    if (value instanceof Tensor && !isNumber(value.source)) {
      throw new ValueError(op, `${name} is a computed tensor, which the host has no number of.`, {
        mend: 'use a number, a schedule, or scalar(() => value).',
      });
    }
  }
}
