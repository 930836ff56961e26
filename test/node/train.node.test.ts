import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeSafetensors } from '../../src/data/safetensors.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const root = await mkdtemp(join(tmpdir(), 'cotangent-train-'));
afterAll(() => rm(root, { recursive: true }));

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  /** Resolves when the output has the text, or the command has ended. */
  readonly says: (text: string) => Promise<void>;
  readonly finished: Promise<Finished>;
}

/** `npm run train -- ...`, without npm between: a signal reaches the command itself. */
function start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, ['src/node/run.mjs', 'src/node/commands/train.ts', ...args], {
    cwd: repository,
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece;
    for (const { text, resolve } of waiting) if (stdout.includes(text)) resolve();
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece;
  });
  const finished = new Promise<Finished>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  const says = (text: string) =>
    Promise.race([new Promise<void>((resolve) => waiting.push({ text, resolve })), finished.then(() => undefined)]);
  return { child, says, finished };
}

interface RunRecord {
  options: { loss: string; parameters: Record<string, number>; epochs: number };
  adapter: { kind: string; name: string };
  tuner: { library: string; adapter: string; choices: Record<string, string> };
  browser: { version: string; executable: string };
  versions: Record<string, string>;
  curve: { steps: [number, number][]; epochs: { step: number; testAccuracy: number }[] };
  result: {
    testAccuracy: number;
    perClassAccuracy: number[];
    reason: string;
    steps: number;
    stepsBefore: number;
    seconds: number;
    firstStepMs: number;
    memory: { bytesHeld: number };
    submitsPerStep: number;
  };
}

const files = (name: string) => ({
  json: join(root, `${name}.json`),
  plot: join(root, `${name}.svg`),
  save: join(root, `${name}.safetensors`),
});
const asOptions = (paths: object) => Object.entries(paths).flatMap(([name, path]) => [`--${name}`, String(path)]);
const recordOf = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as RunRecord;

describe('npm run train', () => {
  test('a short run: it prints the result, and writes record, plot and checkpoint', async () => {
    const paths = files('short');
    const args = ['--loss', 'compSum', '--tau', '1.5', '--epochs', '1', '--examples', '640', ...asOptions(paths)];
    const { code, stdout, stderr } = await start(args).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const part of [
      'epoch 1/1',
      'adapter',
      'test accuracy',
      'by class',
      'first step',
      'held on the GPU',
      'submits a step   1.00',
    ]) {
      expect(stdout).toContain(part);
    }
    const { options, adapter, tuner, browser, versions, curve, result } = await recordOf(paths.json);
    expect(options).toMatchObject({ loss: 'compSum', parameters: { tau: 1.5 }, epochs: 1 });
    expect([adapter.kind, adapter.name, browser.version, browser.executable]).not.toContain('');
    expect(Object.keys(versions)).toEqual(['cotangent', 'node', 'vite', 'puppeteer']);
    expect(curve.steps).toEqual([[10, expect.any(Number)]]);
    expect(curve.epochs).toHaveLength(1);
    // Ten classes: chance is 0.1.
    expect(result.testAccuracy).toBeGreaterThan(0.3);
    expect(result.testAccuracy).toBe(curve.epochs[0]?.testAccuracy);
    expect(result.perClassAccuracy).toHaveLength(10);
    expect(result).toMatchObject({ reason: 'done', steps: 10, submitsPerStep: 1 });
    expect(result.firstStepMs).toBeGreaterThan(0);
    expect(tuner.library).toBe(versions.cotangent);
    expect(tuner.choices['matmul nn f32 m64 n128 k1024 by fours']).toMatch(/^(quad|packed|register|blocked) \d+x\d+/);
    expect(result.memory.bytesHeld).toBeGreaterThan(4 * (784 * 128 + 128 * 10));
    expect(await readFile(paths.plot, 'utf8')).toMatch(/^<svg [\s\S]*compSum on mnist[\s\S]*<\/svg>\n$/);
    const { tensors, metadata } = decodeSafetensors(await readFile(paths.save), { name: paths.save });
    expect(tensors.get('model.0.weight')?.shape).toEqual([784, 128]);
    expect(JSON.parse(metadata.position ?? '')).toEqual({ epoch: 1, index: 0 });
    expect(JSON.parse(metadata.tuner ?? '')).toEqual(tuner);
    expect(await start(['--resume', paths.save]).finished).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'ValueError: train: --epochs is 1, but the checkpoint has done 1 epoch already.\n  Mend: ask for more of them.\n',
    });
  });

  test('--tune now keeps its choices in a file, and --tune cached takes them from it', async () => {
    const cache = { XDG_CACHE_HOME: join(root, 'cache') };
    const run = async (tune: string) => {
      const path = join(root, `${tune}.json`);
      const args = ['--epochs', '1', '--examples', '640', '--model', 'mlp:784-16-10', '--tune', tune, '--json', path];
      // Of a busy machine the usual two seconds may end before the first choice.
      args.push('--tuning-budget', '40');
      const { code } = await start(args, cache).finished;
      expect(code).toBe(0);
      return recordOf(path);
    };
    const { tuner } = await run('now');
    const [file] = await readdir(join(root, 'cache', 'cotangent'));
    const kept = JSON.parse(await readFile(join(root, 'cache', 'cotangent', file ?? ''), 'utf8')) as RunRecord['tuner'];
    expect(Object.keys(kept.choices).length).toBeGreaterThan(0);
    expect(tuner).toEqual({ ...kept, choices: expect.objectContaining(kept.choices) });
    const second = await run('cached');
    expect(second.tuner).toEqual({ ...kept, choices: expect.objectContaining(kept.choices) });
  });

  // Windows has no signals: a child is ended by them.
  test.skipIf(process.platform === 'win32')(
    'Ctrl-C stops it, what was asked for is written, and a run can go on from there',
    async () => {
      const paths = files('stopped');
      const { child, says, finished } = start(['--epochs', '1000', '--examples', '640', ...asOptions(paths)]);
      await says('epoch    2/1000');
      child.kill('SIGINT');
      const { code, stdout, stderr } = await finished;
      expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
      expect(stdout).toContain('stopped after ');
      const { result, curve } = await recordOf(paths.json);
      expect(result.reason).toBe('stopped');
      expect(result.steps).toBeGreaterThanOrEqual(20);
      expect(result.testAccuracy).toBeGreaterThan(0.3);
      expect(result.perClassAccuracy).toHaveLength(10);
      expect(curve.epochs.length).toBeGreaterThanOrEqual(2);

      const more = files('resumed');
      const epochs = Math.ceil(result.steps / 10) + 1;
      const resumed = await start(['--resume', paths.save, '--epochs', String(epochs), '--json', more.json]).finished;
      expect({ code: resumed.code, stderr: resumed.stderr }).toEqual({ code: 0, stderr: '' });
      expect(resumed.stdout).toContain(`Going on after step ${result.steps.toLocaleString('en')}.`);
      const second = await recordOf(more.json);
      const steps = 10 * epochs - result.steps;
      expect(second.result).toMatchObject({ steps, stepsBefore: result.steps });
      const all = (10 * epochs).toLocaleString('en');
      expect(resumed.stdout).toContain(`done after ${all} steps, ${steps} of them in this run\n`);
      expect(second.curve.steps.slice(0, curve.steps.length)).toEqual(curve.steps);
    },
  );

  test.each([
    [['--learnig-rate', '1'], "ValueError: train: unknown option '--learnig-rate'. Did you mean '--learning-rate'?"],
    [
      ['--model', 'mlp:100-10'],
      'ValueError: train: --model is mlp:100-10, but the data has 784 pixels (28 x 28) and 10 classes; take mlp:784-10.',
    ],
    [
      ['--data', './no-such-folder'],
      "ValueError: loadDataset: ./no-such-folder is neither 'mnist' nor a directory that can be read.",
    ],
    [['--browser', '/no/such/browser'], 'NoWebGPUError: launchBrowser: there is no browser at /no/such/browser.'],
    [
      ['--json', '/no/such/folder/run.json'],
      'ValueError: train: /no/such/folder/run.json cannot be written: the folder /no/such/folder is missing, or not ours to write.',
    ],
  ])('%j ends with a clear message', async (args, message) => {
    const { code, stdout, stderr } = await start(args).finished;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.split('\n')[0]).toBe(message);
    expect(stderr.split('\n').filter((line) => line.includes('node_modules'))).toEqual([]);
  });

  test('nothing is left beside the written files', async () => {
    expect((await readdir(root)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
