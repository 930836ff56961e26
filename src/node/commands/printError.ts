import { CotangentError } from '../../errors.js';
import { PageError } from './pageError.js';

/** The library's errors and the system's in their own words; a stack for what should not have happened. */
export function printError(error: unknown): void {
  const expected =
    error instanceof CotangentError || error instanceof PageError || (error instanceof Error && 'code' in error);
  console.error(expected ? `${error.name}: ${error.message}` : error);
}
