import { describe, expect, test } from 'vitest';
import type { RunOptions } from '../../demos/train/options.js';
import { ValueError } from '../../src/errors.js';
import {
  completeOptions,
  type LossTable,
  parseTrainArguments,
  trainHelp,
} from '../../src/node/commands/trainOptions.js';

const losses: LossTable = new Map([
  ['crossEntropy', { parameters: {} }],
  ['compSum', { parameters: { tau: { default: 1, min: 0 } } }],
  ['focal', { parameters: { gamma: { default: 2, min: 0, max: 10 }, labelSmoothing: { default: 0, min: 0 } } }],
]);

const parse = (text: string) => parseTrainArguments(text === '' ? [] : text.split(' '), losses);
const complete = (text: string, saved?: RunOptions) => completeOptions(parse(text), losses, saved);

describe('the options of npm run train', () => {
  test('nothing given: the defaults', () => {
    expect(complete('')).toEqual({
      data: 'mnist',
      model: 'mlp:784-128-10',
      loss: 'crossEntropy',
      parameters: {},
      optimizer: 'adamw',
      schedule: 'cosine',
      learningRate: 0.002,
      epochs: 12,
      batchSize: 64,
      examples: 0,
      seed: 0,
    });
    expect(parse('').command).toEqual({ headed: false, adapter: 'auto', tune: 'off' });
  });

  test('every option, with a space or an equals sign', () => {
    const text =
      '--data ./digits --model=mlp:784-32-16-10 --loss focal --gamma 3 --label-smoothing=0.1 --optimizer sgd --schedule oneCycle ' +
      '--learning-rate 1e-2 --epochs 3 --batch-size 32 --examples 100 --seed 7';
    expect(complete(text)).toEqual({
      data: './digits',
      model: 'mlp:784-32-16-10',
      loss: 'focal',
      parameters: { gamma: 3, labelSmoothing: 0.1 },
      optimizer: 'sgd',
      schedule: 'oneCycle',
      learningRate: 0.01,
      epochs: 3,
      batchSize: 32,
      examples: 100,
      seed: 7,
    });
    expect(
      parse(
        '--json a.json --plot a.svg --save a.safetensors --resume b --headed --browser npm --adapter software --tune now --tuning-budget 0.5',
      ).command,
    ).toEqual({
      json: 'a.json',
      plot: 'a.svg',
      save: 'a.safetensors',
      resume: 'b',
      headed: true,
      browser: 'npm',
      adapter: 'software',
      tune: 'now',
      tuningBudget: 0.5,
    });
  });

  test('the learning rate follows the optimizer unless it is given', () => {
    expect(complete('--optimizer sgd').learningRate).toBe(0.05);
    expect(complete('--optimizer sgd --learning-rate 0.5').learningRate).toBe(0.5);
  });

  test("a loss's parameters have its defaults", () => {
    expect(complete('--loss compSum').parameters).toEqual({ tau: 1 });
    expect(complete('--loss compSum --tau 1.5').parameters).toEqual({ tau: 1.5 });
  });

  test.each([
    [
      '--learnig-rate 1',
      "train: unknown option '--learnig-rate'. Did you mean '--learning-rate'?\n  Mend: npm run train -- --help lists the options.",
    ],
    ['--zzzzzzzzzzzz', "train: unknown option '--zzzzzzzzzzzz'.\n  Mend: npm run train -- --help lists the options."],
    [
      '3',
      "train: '3' belongs to no option.\n  Mend: write options as --name value; npm wants them after a '--', as in npm run train -- --epochs 3.",
    ],
    ['--epochs', 'train: --epochs needs a value: --epochs COUNT.'],
    ['--epochs --seed 3', 'train: --epochs needs a value: --epochs COUNT.'],
    ['--epochs 2 --epochs 3', 'train: --epochs is given twice.'],
    ['--headed=yes', "train: --headed takes no value, but has 'yes'."],
    ['--epochs many', "train: --epochs is 'many'; it must be an integer."],
    ['--epochs 1.5', 'train: --epochs is 1.5; it must be an integer.'],
    ['--epochs 0', 'train: --epochs is 0; it must be at least 1.'],
    ['--seed -1', 'train: --seed is -1; it must be at least 0.'],
    ['--learning-rate 0', 'train: --learning-rate is 0; it must be above 0.'],
    ['--learning-rate NaN', "train: --learning-rate is 'NaN'; it must be a number."],
    ['--optimizer lion', "train: --optimizer is 'lion'; it must be one of adamw, adam, sgd."],
    ['--loss fokal', "train: --loss is 'fokal'. Did you mean 'focal'?"],
    ['--adapter gpu', "train: --adapter is 'gpu'; it must be one of auto, hardware, software."],
    ['--tune always', "train: --tune is 'always'; it must be one of off, cached, now."],
    ['--tuning-budget soon', "train: --tuning-budget is 'soon'; it must be a number above 0."],
    ['--model cnn', "train: --model is 'cnn'; it is written mlp:784-128-10: pixels, hidden sizes, classes."],
    ['--model mlp:784-0-10', 'train: --model has a layer of 0; a size is from 1 to 65536.'],
    ['--json=', 'train: --json is empty; it must be a path.'],
    [
      '--tau 2',
      'train: --tau is no parameter of the loss crossEntropy.\n  Mend: take --loss compSum, or leave --tau out.',
    ],
    ['--loss compSum --tau -1', 'train: --tau is -1; it must be at least 0.'],
    ['--loss focal --gamma 11', 'train: --gamma is 11; it must be at most 10.'],
  ])('%s is refused', (text, message) => {
    let error: unknown;
    try {
      complete(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ValueError);
    expect((error as ValueError).message.replace(/\n {2}at .*/, '')).toBe(message);
  });

  test("a checkpoint's options hold where none are given", () => {
    const saved = complete('--loss compSum --tau 1.5 --epochs 4 --seed 9 --batch-size 32');
    expect(complete('--epochs 8', saved)).toEqual({ ...saved, epochs: 8 });
    expect(complete('--loss focal', saved)).toEqual({
      ...saved,
      loss: 'focal',
      parameters: { gamma: 2, labelSmoothing: 0 },
    });
  });

  test('--help lists every option with its default, within the columns', () => {
    const help = trainHelp(losses, 90);
    const parts = [
      '--data mnist|DIR',
      '--batch-size COUNT',
      '[64]',
      '--label-smoothing NUMBER',
      'compSum',
      '--adapter KIND',
      '--tune WHEN',
      '--headed',
    ];
    for (const part of parts) expect(help).toContain(part);
    expect(help.split('\n').filter((line) => line.length > 110)).toEqual([]);
    expect(parse('-h').help).toBe(true);
  });
});
