import type { init } from '../../../src/index.js';

/** The device that steps by hand run on: that of the engine, so that both have the same queue and limits. */
export type HandGpu = Awaited<ReturnType<typeof init>>['device'];
