import { expect } from 'vitest';
import * as cotangent from '../../src/index.js';

type Run = (...values: unknown[]) => Promise<unknown>;
const AsyncFunction = (async () => undefined).constructor as new (...parts: string[]) => Run;

/** The TypeScript blocks of a page of documentation, in order. They use no syntax that JavaScript lacks. */
export function codeBlocks(page: string): { all: readonly string[]; having(text: string): string } {
  const all = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const having = (text: string) =>
    all.find((block) => block.includes(text)) ?? expect.fail(`no block of the page has ${text}`);
  return { all, having };
}

/**
 * Runs a block with its imports taken from the library's sources, and names that it leaves to the reader.
 *
 * @param results names of the block, comma-separated; they come back as an object.
 */
export function runBlock(block: string, given: Readonly<Record<string, unknown>>, results: string): Promise<unknown> {
  const code = block.replace(/import \{([^}]*)\} from 'cotangent';/, 'const {$1} = cotangent;');
  const body = `${code}\nreturn { ${results} };`;
  return new AsyncFunction('cotangent', ...Object.keys(given), body)(cotangent, ...Object.values(given));
}
