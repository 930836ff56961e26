import { expect, test } from 'vitest';
import { elementwiseNames } from '../reference/elementwise.js';
import { ruleNames } from '../reference/evaluate.js';
import { generatorNames } from '../reference/generators.js';
import { elementwiseOps } from './elementwiseTable.js';

const modules = import.meta.glob<Record<string, unknown>>('../../src/ops/*.ts', { eager: true });
const tests = import.meta.glob<string>(['./*.test.ts', '../autograd/*.test.ts'], {
  eager: true,
  query: '?raw',
  import: 'default',
});
const sources = import.meta.glob<string>(['../../src/ops/*.ts', '../../src/autograd/*.ts'], {
  eager: true,
  query: '?raw',
  import: 'default',
});

/** What ops are made of; the ops that use it test it. */
const INTERNAL_FILES =
  /\/(elements|elementwise|arrange|product|splitProduct|sumParts|window|(held|quad)Tiles|\w+Variants)\.ts$/;
const INTERNAL = new Set(['sumTo', 'reshapeExactly']);

/** Calls in the tests, less their import lines. */
const calls = Object.values(tests)
  .join('\n')
  .replace(/^import .*$/gm, '');

test('every op that is exported is tested by its name', () => {
  const walked = new Set<unknown>(elementwiseOps);
  const exported = Object.entries(modules)
    .filter(([file]) => !INTERNAL_FILES.test(file))
    .flatMap(([, module]) => Object.entries(module).filter(([, value]) => typeof value === 'function'));
  expect(exported.length).toBeGreaterThan(80);
  const missing = exported
    .filter(([name, value]) => !walked.has(value) && !INTERNAL.has(name))
    .map(([name]) => name)
    .filter((name) => !new RegExp(`(^|[^\\w])${name}([(,\\s\\]}]|$)`, 'm').test(calls));
  expect(missing).toEqual([]);
});

test('the reference knows every op name that the sources declare', () => {
  const known = new Set([...elementwiseNames, ...ruleNames, ...generatorNames]);
  const opFiles = Object.entries(sources).filter(([file]) => !INTERNAL_FILES.test(file));
  const declared = opFiles.flatMap(([, text]) => [
    ...[...text.matchAll(/\bname: '(\w+)'/g)].map(([, name]) => name),
    ...[...text.matchAll(/\b(?:draw|iota|rowOp|argument)\(\s*'(\w+)'/g)].map(([, name]) => name),
  ]);
  expect(declared.length).toBeGreaterThan(60);
  expect([...new Set(declared)].filter((name) => !known.has(name ?? ''))).toEqual([]);
});
