import { adversarial } from './adversarial.js';
import { bounds } from './bounds.js';
import type { Experiment } from './experiment.js';
import { labelNoise } from './labelNoise.js';
import { tauAccuracy } from './tauAccuracy.js';

/** Every experiment: what is listed here the command runs. */
export const experiments: readonly Experiment[] = [tauAccuracy, labelNoise, adversarial, bounds];
