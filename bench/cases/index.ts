import type { Case } from '../case.js';
import { crossEntropyCases } from './crossEntropy.js';
import { matmulCases } from './matmul.js';
import { stepCases } from './step.js';

/** Every case, in the order of the table. */
export const cases: readonly Case[] = [...matmulCases, ...stepCases, ...crossEntropyCases];
