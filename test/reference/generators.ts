import type { DType } from '../../src/graph/dtype.js';
import { philox } from './philox.js';
import { at, empty, roundings, ULP, type Value } from './value.js';

/** A value as a function of the element's index: counters and random draws. */
export function generated(name: string, inputs: readonly Value[], shape: readonly number[], dtype: DType): Value {
  const result = empty(shape, dtype);
  const numbers = inputs.map(({ data }) => at(data, 0));
  const draw = generators[name];
  if (draw === undefined) throw new Error(`reference: no generator '${name}'`);
  for (let i = 0; i < result.data.length; i++) {
    const [value, error] = draw(i, numbers);
    result.data[i] = value;
    result.error[i] = error;
  }
  return result;
}

/** Held below 1 as the kernel holds it. */
const bounded = (bits: number) => Math.min(positive(bits), Math.fround(0.99999994));

/**
 * The place of an index in a keyed order: a rotation, then Feistel rounds on the bits' two halves, again and
 * again until the place is below `count`.
 */
function permuted(index: number, count: number, [low = 0, high = 0, stream = 0, step = 0]: readonly number[]): number {
  if (count < 2) return 0;
  const draw = (half: number, round: number) => at(philox([half, 1 + round, step, stream], [low, high]), 0);
  const bits = Math.ceil(Math.log2(count));
  const rounds = bits <= 5 ? 24 : 12;
  const lowSize = 2 ** Math.ceil(bits / 2);
  const highSize = 2 ** bits / lowSize;
  let place = (index + (draw(0, 0) % count)) % count;
  do {
    let lower = place % lowSize;
    let upper = Math.floor(place / lowSize);
    for (let round = 1; round < rounds; round += 2) {
      lower = (lower ^ (draw(upper, round) % lowSize)) >>> 0;
      upper = (upper ^ (draw(lower, round + 1) % highSize)) >>> 0;
    }
    place = upper * lowSize + lower;
  } while (place >= count);
  return place;
}

type Draw = (index: number, inputs: readonly number[]) => readonly [value: number, error: number];

/** Four words of the block that an element belongs to. */
function blockOf(index: number, [low = 0, high = 0, stream = 0, step = 0]: readonly number[]) {
  return philox([Math.floor(index / 4), 0, step, stream], [low, high]);
}

function word(index: number, inputs: readonly number[]): number {
  return at(blockOf(index, inputs), index % 4);
}

/** Uniform in (0, 1), from all 32 bits. */
const positive = (bits: number) => (bits + 0.5) * 2 ** -32;

/** What a function makes of a number that is off by relative `ulps`, and of its own `more` ulps. */
function off(f: (x: number) => number, x: number, ulps: number, more: number): readonly [number, number] {
  const value = f(x);
  const moved = [x * (1 + ulps * ULP), Math.max(x * (1 - ulps * ULP), 0)].map((y) => Math.abs(f(y) - value));
  return [value, Math.max(...moved) + roundings(value, more)];
}

const exactly = (value: number): readonly [number, number] => [value, 0];

const generators: Readonly<Record<string, Draw>> = {
  iotaF32: (index) => exactly(Math.fround(index)),
  iotaI32: exactly,
  iotaU32: exactly,
  randomBits: (index, inputs) => exactly(word(index, inputs)),
  randomUniform: (index, inputs) => exactly((word(index, inputs) >>> 8) * 2 ** -24),
  randomNormal: (index, inputs) => {
    // Box-Muller on the pair that the element belongs to.
    const block = blockOf(index, inputs);
    const pair = index % 4 < 2 ? 0 : 2;
    const angle = 2 * Math.PI * (at(block, pair + 1) >>> 8) * 2 ** -24;
    const turn = index % 2 === 0 ? Math.cos(angle) : Math.sin(angle);
    // Converting the bits and adding 1/2 rounds twice, the logarithm is good to 3 ulp, the root to 4.5.
    const [radius, error] = off((p) => Math.sqrt(Math.max(0, -2 * Math.log(p))), positive(at(block, pair)), 2, 8);
    // The angle is off by a rounding of pi, itself and its product: 3 of up to 2 pi; sin by 2 more of 1.
    return [radius * turn, error + radius * ULP * (3 * 2 * Math.PI + 2)];
  },
  randomExponential: (index, inputs) => off((p) => -Math.log1p(-p), bounded(word(index, inputs)), 2, 4),
  randomGumbel: (index, inputs) => {
    const [mean, error] = off((p) => -Math.log1p(-p), bounded(word(index, inputs)), 2, 4);
    return off((e) => -Math.log(e), mean, error / mean / ULP, 3);
  },
  randomPermutation: (index, [count = 0, ...inputs]) => exactly(permuted(index, count, inputs)),
};

/** The draws that the reference knows, for the test that compares them with the library's. */
export const generatorNames: ReadonlySet<string> = new Set(Object.keys(generators));
