import { ValueError } from '../../errors.js';
import { scalar } from '../../graph/source.js';
import { isNumber, numberOf, type Tensor, type TensorLike } from '../../graph/tensor.js';
import { checkName } from './threat.js';

/** The step's size as a share of `stepSize`: a name, or a function of the part of the iterations done, in [0, 1). */
export type StepSchedule = 'constant' | 'cosine' | 'halving' | ((fraction: number) => number);

const NAMED = {
  constant: () => 1,
  /** From 1 down to 0. */
  cosine: (fraction: number) => (1 + Math.cos(Math.PI * fraction)) / 2,
  /** Half as large after each quarter. */
  halving: (fraction: number) => 0.5 ** Math.floor(4 * fraction),
} satisfies Record<string, (fraction: number) => number>;

export function checkSchedule(op: string, schedule: StepSchedule): void {
  if (typeof schedule === 'string') checkName(op, 'schedule', schedule, Object.keys(NAMED));
  else if (typeof schedule !== 'function')
    throw new ValueError(op, `the schedule is ${String(schedule)}, neither a name nor a function.`, {
      mend: `name one (${Object.keys(NAMED).join(', ')}), or give (fraction) => share.`,
    });
}

/** `stepSize` by the schedule at the iteration under way. */
export function scheduledStep(schedule: StepSchedule, stepSize: number, index: Tensor, steps: number): TensorLike {
  if (schedule === 'constant') return stepSize;
  const share = typeof schedule === 'string' ? NAMED[schedule] : schedule;
  return ofIteration(index, (i) => stepSize * share(i / steps));
}

/** A number of the iteration under way, asked of the host as the repeat's index is: no dispatch computes it. */
export function ofIteration(index: Tensor, of: (i: number) => number): Tensor {
  const { source } = index;
  if (!isNumber(source)) throw new Error("the index of a repeat is a number of the host's");
  return scalar(() => of(numberOf(source)));
}
