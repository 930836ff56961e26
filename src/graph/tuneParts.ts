import type { Device } from '../device/device.js';
import { race } from '../kernels/race.js';
import type { Tuner } from '../kernels/tuner.js';
import type { Part } from './program.js';
import type { Tensor } from './tensor.js';
import { type AskedQuestion, Trial } from './trial.js';

/** With what the leaves of its plan stand for. */
interface Asked {
  readonly asked: AskedQuestion;
  readonly leaves: readonly Tensor[];
}

/**
 * Times what is not known yet of the variants that the kernels of a step's parts have, the heaviest kernel first, until the
 * budget is spent.
 */
export function tuneParts(device: Device, tuner: Tuner, parts: readonly Part[], budgetMs: number): Promise<void> {
  return tuner.inTurn(async () => {
    const all = parts.flatMap(({ plan, skeleton: { leaves } }) => plan.questions.map((asked) => ({ asked, leaves })));
    const open = new Map<string, Asked>();
    for (const { asked, leaves } of all.sort((a, b) => b.asked.flops - a.asked.flops)) {
      const { shapeClass } = asked.question;
      // A kernel without elements does nothing.
      if (asked.flops > 0 && tuner.isOpen(asked.question) && !open.has(shapeClass))
        open.set(shapeClass, { asked, leaves });
    }
    if (open.size === 0) return;
    const deadline = performance.now() + budgetMs;
    let left = open.size;
    for (const [shapeClass, { asked, leaves }] of open) {
      // The first is begun on any clock, so that every prepare gets on.
      if (left < open.size && performance.now() > deadline) break;
      left--;
      const trial = Trial.of(device, asked, leaves);
      if (trial === undefined) continue;
      tuner.races++;
      try {
        const { winner, complete } = await race(device, { ...trial, shapeClass, deadline });
        if (winner !== undefined) tuner.settle(shapeClass, winner, { lasting: complete });
      } finally {
        trial.release();
      }
    }
    if (left > 0) {
      console.warn(
        `tuner: the budget of ${budgetMs} ms ran out before ${left} of ${open.size} kernels; they run by their static ` +
          'choices. A later prepare goes on, a larger tuningBudgetMs goes on now.',
      );
    }
    await tuner.save();
  });
}
