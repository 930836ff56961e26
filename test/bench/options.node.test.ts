import { describe, expect, test } from 'vitest';
import { parseOptions, UsageError } from '../../bench/options.js';

const NAMES = ['matmul/256', 'matmul/512', 'step/2-16-16-2'];
const parse = (text: string) => parseOptions(text === '' ? [] : text.split(' '), NAMES);

describe('the options of npm run bench', () => {
  test('nothing given: every case against every peer', () => {
    expect(parse('')).toEqual({
      cases: NAMES,
      peers: ['plain', 'by-hand', 'jax-js', 'tfjs'],
      adapter: undefined,
      browser: undefined,
      quick: false,
      profile: false,
      json: undefined,
      html: undefined,
      svg: undefined,
      help: false,
    });
  });

  test.each([
    ['a name', 'matmul/512', ['matmul/512']],
    ['what stands before a slash, in the order of the table', 'step matmul', NAMES],
    ['a case twice over', 'matmul/256 matmul', ['matmul/256', 'matmul/512']],
  ])('cases by %s', (_, words, expected) => {
    expect(parse(words).cases).toEqual(expected);
  });

  test('quick leaves out what takes long, unless it is named whole', () => {
    const quick = (text: string) => parseOptions(text.split(' '), NAMES, ['matmul/512']).cases;
    expect(quick('matmul')).toEqual(['matmul/256', 'matmul/512']);
    expect(quick('--quick')).toEqual(['matmul/256', 'step/2-16-16-2']);
    expect(quick('matmul --quick')).toEqual(['matmul/256']);
    expect(quick('matmul/512 --quick')).toEqual(['matmul/512']);
  });

  test('peers', () => {
    expect(parse('--against tfjs,by-hand').peers).toEqual(['tfjs', 'by-hand']);
    expect(parse('--against none').peers).toEqual([]);
  });

  test('files', () => {
    expect(parse('--json a.json --html b.html --svg c.svg')).toMatchObject({
      json: 'a.json',
      html: 'b.html',
      svg: 'c.svg',
    });
  });

  test.each([
    ['matmul/51', "unknown case 'matmul/51'. Did you mean 'matmul/512'?"],
    ['mat', "unknown case 'mat'. known are: matmul/256, matmul/512, step/2-16-16-2"],
    ['--against tfj', "unknown peer 'tfj'. Did you mean 'tfjs'?"],
    ['--adapter hardwar', "unknown adapter 'hardwar'. Did you mean 'hardware'?"],
  ])('%s', (words, complaint) => {
    expect(() => parse(words)).toThrow(new UsageError(complaint));
  });
});
