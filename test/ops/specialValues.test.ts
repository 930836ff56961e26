import { describe, expect, test } from 'vitest';
import { tensor } from '../../src/graph/source.js';
import { relu } from '../../src/ops/activation.js';
import { maximum, minimum } from '../../src/ops/arithmetic.js';
import * as logical from '../../src/ops/logical.js';
import { checkOp } from '../support/checkOp.js';
import { useEngine } from '../support/engine.js';
import { elementwiseOps } from './elementwiseTable.js';

useEngine();

function fromBits(...bits: number[]): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** By their bits: a JavaScript engine may change a NaN's payload, WGSL may assume that there is none. */
const SPECIAL = [
  0x7fc00000, // the usual NaN
  0xffc12345, // a negative one with a payload
  0x7f800000,
  0xff800000, // infinities
  0x00000000,
  0x80000000, // zeros
  0x7f7fffff,
  0xff7fffff, // the largest
  0x00800000,
  0x80800000, // the smallest normal ones
  0x00000001,
  0x80400000, // subnormal
  0x3f800000,
  0xbf800000, // 1, -1
  0x40200000,
  0xc0200000, // 2.5, -2.5
  0x3f000000,
  0xc0400000, // 0.5, -3
  0x42b17218,
  0xc2cff1b5, // where exp overflows and underflows
  0x4f000000,
  0xcf000000, // 2^31, -2^31
  0x4f800000,
  0x34000000, // 2^32, 2^-22
];

const HALF = SPECIAL.filter((_, i) => i % 2 === 0 || i === 3 || i === 5 || i === 13);

const floats = elementwiseOps.filter(({ spec }) => spec.dtypes.includes('f32'));

describe.each(floats.map((op) => ({ op, name: op.spec.name })))('$name', ({ op, name }) => {
  test('has the value that IEEE 754 gives at NaN, infinities, zeros, huge and tiny numbers', async () => {
    const x = op.arity === 1 ? SPECIAL : HALF;
    const inputs =
      op.arity === 1
        ? [tensor(fromBits(...x))]
        : [tensor(fromBits(...x.flatMap((bits) => x.map(() => bits)))), tensor(fromBits(...x.flatMap(() => x)))];
    // Subnormal operands may be taken as 0, which leaves 1 / x and comparisons of them open.
    await checkOp({ name, inputs, apply: op, derivatives: 0, undecided: 0.35 });
  });
});

test.each([
  ['relu', relu(tensor(fromBits(0x7fc00000, 0x3f800000))), [1, 0]],
  [
    'maximum',
    maximum(tensor(fromBits(0x7fc00000, 0x3f800000, 0x3f800000)), tensor(fromBits(0x3f800000, 0x7fc00000, 0x3f800000))),
    [1, 1, 0],
  ],
  [
    'minimum',
    minimum(tensor(fromBits(0x7fc00000, 0x3f800000, 0x3f800000)), tensor(fromBits(0x3f800000, 0x7fc00000, 0x3f800000))),
    [1, 1, 0],
  ],
])('%s keeps NaN, whichever operand holds it', async (_name, result, expected) => {
  expect([...(await logical.isNaN(result).data())]).toEqual(expected);
});
