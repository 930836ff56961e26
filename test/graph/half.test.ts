import { expect, test } from 'vitest';
import { packHalves, roundToHalf, unpackHalves } from '../../src/graph/half.js';
import { HALVES, nearestHalf } from '../reference/half.js';
import { random } from '../support/random.js';

const toHalfBits = (value: number) => packHalves(Float32Array.of(value))[0];
const fromHalfBits = (bits: number) => unpackHalves(Uint16Array.of(bits))[0] as number;

test('each of the 65536 patterns is a number, and the number is the pattern again', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const value = fromHalfBits(bits);
    if ((bits & 0x7fff) > 0x7c00) expect(value).toBeNaN();
    else if (toHalfBits(value) !== bits) expect.fail(`${bits} is ${value}, and that is ${toHalfBits(value)}`);
    const size = HALVES[bits & 0x7fff];
    if (size !== undefined && Math.abs(value) !== size) expect.fail(`${bits} is ${value}, not ${size}`);
  }
});

test('limits, ties, what is too large or too small', () => {
  const cases: readonly (readonly [number, number])[] = [
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-1e9, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    // A tie of 0 and the least: 0 is the even one.
    [2 ** -25, 0x0000],
    [3 * 2 ** -25, 0x0002],
    [-(2 ** -26), 0x8000],
    [-0, 0x8000],
    // Ties of 1 and its neighbour, and of that and the next.
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [Number.NaN, 0x7e00],
    [Number.POSITIVE_INFINITY, 0x7c00],
  ];
  for (const [value, bits] of cases) expect(toHalfBits(value), String(value)).toBe(bits);
});

test.each([1, 2, 3, 4])('rounds as a search among all of them does, seed %i', (seed) => {
  const draw = random(seed);
  for (let i = 0; i < 20_000; i++) {
    const value = Math.fround(draw.normal() * 2 ** draw.integer(-27, 17));
    if (!Object.is(roundToHalf(value), nearestHalf(value))) {
      expect.fail(`${value} becomes ${roundToHalf(value)}, not ${nearestHalf(value)}`);
    }
  }
});

test('arrays, with room behind', () => {
  expect([...packHalves(Float32Array.of(1, -2, 0.1), 4)]).toEqual([0x3c00, 0xc000, 0x2e66, 0]);
  expect([...unpackHalves(Uint16Array.of(0x3c00, 0xfc00))]).toEqual([1, Number.NEGATIVE_INFINITY]);
});
