import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ValueError } from '../../src/errors.js';
import { kernelHelp, parseKernelArguments } from '../../src/node/commands/kernelOptions.js';
import { subjects } from '../../src/node/kernel/subjects.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** `npm run kernel -- ...`, without npm between. */
function run(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['src/node/run.mjs', 'src/node/commands/kernel.ts', ...args], {
    cwd: repository,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece;
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

describe('npm run kernel', () => {
  test.each([
    ['shaders/reduce/serial.wgsl', '64x33', ['sum', 'sum by columns', 'max']],
    ['matmul/blocked', '20x30x10', ['nn', 'nt', 'tn']],
  ])('%s: checked against the reference, then timed at %s', async (file, sizes, uses) => {
    const { code, stdout, stderr } = await run([file, sizes, '--adapter', 'software']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [browser, verdict, , head, ...rows] = stdout.trim().split('\n');
    expect(browser).toMatch(/ on the software adapter /);
    const [, right] =
      /: right in all (\d+) cases, within the bounds of the float64 reference\.$/.exec(verdict ?? '') ?? [];
    expect(Number(right)).toBeGreaterThanOrEqual(20);
    expect(head?.split(/ {2,}/)).toEqual([
      'use',
      'sizes',
      'chosen as on',
      'variant',
      'grid',
      'ms',
      'GFLOP/s',
      'of fma',
      'GB/s',
      'of copy',
      'bound by',
    ]);
    expect(rows.slice(0, -1).map((row) => row.split(/ {2,}/).slice(0, 2))).toEqual(uses.map((use) => [use, sizes]));
    for (const row of rows.slice(0, -1)) {
      const [ms, gflops, , gbps] = row.split(/ {2,}/).slice(5).map(Number.parseFloat);
      for (const figure of [ms, gflops, gbps]) expect(figure).toBeGreaterThanOrEqual(0);
    }
    expect(rows.at(-1)).toMatch(/^Limits in this run: fma [\d.]+ GFLOP\/s, copy [\d.]+ GB\/s\.$/);
  });

  test('a mistake ends it before a browser starts, in a sentence', async () => {
    const { code, stdout, stderr } = await run(['shaders/matmul/quad.wgsl', '--adaptor', 'software']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      "ValueError: kernel: unknown option '--adaptor'. Did you mean '--adapter'?\n  Mend: npm run kernel -- --help lists the options.\n",
    );
  });
});

/** The whole text, without the call site. */
function complaintOf(args: readonly string[]): string {
  try {
    parseKernelArguments(args, subjects);
  } catch (error) {
    if (error instanceof ValueError) return error.message.replace(/\n {2}at .*/, '');
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the command line of kernel', () => {
  const known = `it checks ${[...subjects.keys()].map((file) => `shaders/${file}`).join(', ')}.`;

  test.each([
    [[], `kernel: no kernel is named.\n  Mend: name one; ${known}`],
    [
      ['shaders/matmul/blockd.wgsl'],
      `kernel: 'shaders/matmul/blockd.wgsl' is no kernel that can be checked alone. Did you mean 'shaders/matmul/blocked.wgsl'?\n  Mend: ${known}`,
    ],
    [
      ['shaders/random/permutation.wgsl'],
      `kernel: 'shaders/random/permutation.wgsl' is no kernel that can be checked alone.\n  Mend: ${known}`,
    ],
    [
      ['shaders/matmul/quad.wgsl', '512x512'],
      "kernel: '512x512' is no size for matmul/quad.wgsl.\n  Mend: write rowsxinnerxcolumns, as in 128x784x10.",
    ],
    [
      ['softmax/serial.wgsl', '0x3'],
      "kernel: '0x3' is no size for softmax/serial.wgsl.\n  Mend: write rowsxcolumns, as in 128x784.",
    ],
    [
      ['softmax/serial.wgsl', '--adapter', 'gpu'],
      "kernel: --adapter is 'gpu'; it must be one of auto, hardware, software.",
    ],
  ])('%j', (args, message) => {
    expect(complaintOf(args)).toBe(message);
  });

  test('takes a path in any spelling, and sizes', () => {
    const spellings = [
      'shaders/matmul/quad.wgsl',
      './shaders/matmul/quad',
      '/elsewhere/shaders/matmul/quad.wgsl',
      'matmul/quad',
    ];
    for (const path of spellings) {
      expect(parseKernelArguments(['--browser', '/a/chrome', path, '1x2x3', '4x5x6'], subjects)).toEqual({
        help: false,
        request: {
          file: 'matmul/quad.wgsl',
          sizes: [
            [1, 2, 3],
            [4, 5, 6],
          ],
        },
        adapter: 'auto',
        browser: '/a/chrome',
      });
    }
  });

  test('help names each kernel, and each is a file', () => {
    const help = kernelHelp(subjects);
    for (const file of subjects.keys()) {
      expect(help).toContain(`  shaders/${file}`);
      expect(existsSync(`${repository}shaders/${file}`), file).toBe(true);
    }
    expect(parseKernelArguments(['--help'], subjects).help).toBe(true);
  });
});
