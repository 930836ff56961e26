import { engine } from '../graph/current.js';
import { type MeasuredLimits, probeLimits } from '../kernels/limits.js';

/**
 * What the current engine's adapter can do at most, by two small kernels: a second or so on a CPU. Measured anew at
 * each call; the best so far is the limit, for other work on the machine only slows things down.
 */
export function measureLimits(): Promise<MeasuredLimits> {
  return probeLimits(engine('measureLimits').device);
}
