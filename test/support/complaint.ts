import { CotangentError } from '../../src/errors.js';

/** The whole text of the error that `run` throws or rejects with, its call site written as `at FILE`. */
export async function complaint(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof CotangentError) return textOf(error);
    throw error;
  }
  throw new Error('nothing was thrown');
}

export function textOf(error: CotangentError): string {
  return `${error.name}: ${error.message}`.replace(/\n {2}at .*/, '');
}
