import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import { afterAll, describe, expect, test } from 'vitest';

const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  forbidden: NonNullable<IFlattenedRuleSet['forbidden']>;
  options: ICruiseOptions;
};

async function check(baseDir: string, folders: string[]): Promise<{ modules: number; violations: string[] }> {
  const { output } = await cruise(folders, { ...options, baseDir, validate: true, ruleSet: { forbidden } });
  const { modules, summary } = output as ICruiseResult;
  return {
    modules: modules.filter(({ source }) => source.startsWith('src/')).length,
    violations: summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
  };
}

test('imports of the library only go down, and what is built on it takes what is public', async () => {
  const { modules, violations } = await check(resolve('.'), ['src', 'demos', 'experiments']);
  // A checker that reads no file finds no fault.
  expect(modules).toBeGreaterThan(50);
  expect(violations).toEqual([]);
});

describe('the checker catches', async () => {
  const root = await mkdtemp(join(tmpdir(), 'cotangent-layers-'));
  afterAll(() => rm(root, { recursive: true }));

  test.each([
    [
      'an import that goes up',
      'src/ops/a.ts',
      "import { b } from '../losses/b.js';",
      'src/losses/b.ts',
      'ops-imports-up',
    ],
    [
      'a type-only import',
      'src/device/a.ts',
      "import type { B } from '../graph/b.js';",
      'src/graph/b.ts',
      'device-imports-up',
    ],
    [
      'a type in an import',
      'src/errors.ts',
      "import { type B } from './device/b.js';",
      'src/device/b.ts',
      'errors-imports-up',
    ],
    ['an export from above', 'src/kernels/a.ts', "export * from '../ops/b.js';", 'src/ops/b.ts', 'kernels-imports-up'],
    [
      'an import written as a call',
      'src/graph/a.ts',
      "export const b = import('../train/b.js');",
      'src/train/b.ts',
      'graph-imports-up',
    ],
    [
      'a loss on theory',
      'src/losses/a.ts',
      "import { b } from '../theory/b.js';",
      'src/theory/b.ts',
      'nn-optim-losses-metrics-data-imports-up',
    ],
    ['a sibling', 'src/nn/a.ts', "import { b } from '../losses/b.js';", 'src/losses/b.ts', 'nn-imports-sibling'],
    [
      'the library on Node',
      'src/data/a.ts',
      "import { readFile } from 'node:fs/promises';",
      'src/data/b.ts',
      'library-imports-node-modules',
    ],
    [
      'the library on src/node',
      'src/train/a.ts',
      "import { b } from '../node/b.js';",
      'src/node/b.ts',
      'library-imports-node',
    ],
    [
      'the library on its index',
      'src/nn/a.ts',
      "import { b } from '../index.js';",
      'src/index.ts',
      'library-imports-index',
    ],
    [
      'a demo on internals',
      'demos/a.ts',
      "import { b } from '../src/graph/b.js';",
      'src/graph/b.ts',
      'demos-import-internals',
    ],
    [
      'an experiment on internals',
      'experiments/a.ts',
      "import { b } from '../src/theory/b.js';",
      'src/theory/b.ts',
      'demos-import-internals',
    ],
  ])('%s', async (name, from, text, to, rule) => {
    const base = join(root, name.replaceAll(' ', '-'));
    for (const [path, content] of [
      [from, `${text}\n`],
      [to, 'export type B = number;\nexport const b = 1;\n'],
    ] as const) {
      await mkdir(dirname(join(base, path)), { recursive: true });
      await writeFile(join(base, path), content);
    }
    const { violations } = await check(base, [...new Set([from, to].map((path) => path.split('/')[0] ?? ''))]);
    expect(violations.map((violation) => violation.split(':')[0])).toEqual([rule]);
  });

  test('nothing where all is well', async () => {
    const base = join(root, 'well');
    await mkdir(join(base, 'src/ops'), { recursive: true });
    await mkdir(join(base, 'src/graph'), { recursive: true });
    await writeFile(join(base, 'src/graph/b.ts'), 'export const b = 1;\n');
    await writeFile(join(base, 'src/ops/a.ts'), "import { b } from '../graph/b.js';\nexport const a = b;\n");
    expect(await check(base, ['src'])).toEqual({ modules: 2, violations: [] });
  });
});
