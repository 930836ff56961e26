import { expect, test } from 'vitest';
import { trainableLosses } from '../../demos/train/losses.js';
import { kebabCase, runOptions } from '../../demos/train/options.js';
import { losses } from '../../src/index.js';
import { parseTrainArguments } from '../../src/node/commands/trainOptions.js';

test('every loss of the index can be trained with, its parameters given as options', () => {
  const declared = Object.entries(losses).flatMap(([name, loss]) => ('declaration' in loss ? [name] : []));
  expect([...trainableLosses.keys()].sort()).toEqual([...declared, 'meanSquaredError'].sort());
  expect(declared).toContain('generalizedCrossEntropy');
  for (const [name, { parameters }] of trainableLosses) {
    const given = Object.entries(parameters).flatMap(([parameter, declared]) => [
      `--${kebabCase(parameter)}`,
      String(declared.default),
    ]);
    const request = parseTrainArguments(['--loss', name, ...given], trainableLosses);
    expect(Object.keys(request.parameters)).toEqual(Object.keys(parameters));
  }
});

test("no loss's parameter is named as an option of the run or the command", () => {
  const taken = new Set([
    ...runOptions([]).map(({ name }) => name),
    'json',
    'plot',
    'save',
    'resume',
    'adapter',
    'tune',
    'browser',
    'headed',
    'help',
  ]);
  const named = [...trainableLosses.values()].flatMap(({ parameters }) => Object.keys(parameters));
  expect(named.filter((name) => taken.has(name))).toEqual([]);
});
