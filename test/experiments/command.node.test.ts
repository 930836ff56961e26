import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Run } from '../../experiments/report/run.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const root = await mkdtemp(join(tmpdir(), 'cotangent-experiment-'));
afterAll(() => rm(root, { recursive: true }));

/** `npm run experiment ...`, without npm between: a signal reaches the command itself. */
function start(args: readonly string[], onOutput: (text: string, child: ChildProcess) => void = () => undefined) {
  const child = spawn(process.execPath, ['src/node/run.mjs', 'experiments/run.ts', ...args], { cwd: repository });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece: Buffer) => {
      output += piece;
      onOutput(output, child);
    });
  }
  return new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output })),
  );
}

test('bounds: Ctrl-C keeps what is done, the same command goes on from there and writes the report', async () => {
  const args = ['bounds', '--quick', '--out', root];
  let stopped = false;
  const broken = await start(args, (output, child) => {
    if (stopped || !/\(\d+\.\d s\)/.test(output)) return;
    stopped = true;
    child.kill('SIGINT');
  });
  expect(broken.code, broken.output).toBe(130);
  expect(broken.output).toContain('seeds 0');
  expect(broken.output).toMatch(
    /Stopped: [1-3] trials? kept in .*bounds\.quick\.partial\.json; the same command goes on/,
  );
  expect(await readdir(root)).toEqual(['bounds.quick.partial.json']);
  const kept = JSON.parse(await readFile(join(root, 'bounds.quick.partial.json'), 'utf8')) as Run;

  const whole = await start(args);
  expect(whole.code, whole.output).toBe(0);
  expect(whole.output).toContain(`Going on: ${kept.trials.length} trial`);
  expect(whole.output).toContain('Shown: left <= right at every look.');
  expect((await readdir(root)).sort()).toEqual(['bounds.quick.json', 'bounds.quick.md', 'bounds.quick.svg']);
  const run = JSON.parse(await readFile(join(root, 'bounds.quick.json'), 'utf8')) as Run & { verdicts: unknown[] };
  expect(run.trials).toHaveLength(4);
  // What was done is taken over, not done again.
  expect(run.trials.slice(0, kept.trials.length)).toEqual(kept.trials);
  expect(run.verdicts).toHaveLength(1);
  expect(await readFile(join(root, 'bounds.quick.md'), 'utf8')).toContain('![');

  const again = await start(args);
  expect(again.code, again.output).toBe(0);
  expect(again.output).toContain('All trials are done');
}, 300_000);

test('a wrong word: what is wrong, without a stack', async () => {
  const { code, output } = await start(['bonds']);
  expect(code).toBe(1);
  expect(output).toBe("experiment: unknown experiment 'bonds'. Did you mean 'bounds'?\n");
});
