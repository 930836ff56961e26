import type { Case } from '../case.js';
import { attackCases } from './attack.js';
import { convolutionCases } from './convolution.js';
import { crossEntropyCases } from './crossEntropy.js';
import { elementwiseCases } from './elementwise.js';
import { linearCases } from './linear.js';
import { loopCases } from './loop.js';
import { matmulCases } from './matmul.js';
import { memoryCases } from './memory.js';
import { optimizerCases } from './optimizer.js';
import { overheadCases } from './overhead.js';
import { reduceCases } from './reduce.js';
import { scaleCases } from './scale.js';
import { softmaxCases } from './softmax.js';
import { stepCases } from './step.js';

/** Every case, in the order of the table. */
export const cases: readonly Case[] = [
  ...matmulCases,
  ...convolutionCases,
  ...stepCases,
  ...loopCases,
  ...attackCases,
  ...softmaxCases,
  ...crossEntropyCases,
  ...linearCases,
  ...reduceCases,
  ...elementwiseCases,
  ...optimizerCases,
  ...overheadCases,
  ...memoryCases,
  ...scaleCases,
];
