import type { DType } from '../../src/graph/dtype.js';
import { philox } from './philox.js';
import { at, empty, roundings, type Value } from './value.js';

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

type Draw = (index: number, inputs: readonly number[]) => readonly [value: number, error: number];

/** Four words of the block that an element belongs to. */
function blockOf(index: number, [low = 0, high = 0, stream = 0, step = 0]: readonly number[]) {
  return philox([Math.floor(index / 4), 0, step, stream], [low, high]);
}

function word(index: number, inputs: readonly number[]): number {
  return at(blockOf(index, inputs), index % 4);
}

/** Uniform in (0, 1], from the upper 24 bits. */
const positive = (bits: number) => ((bits >>> 8) + 1) * 2 ** -24;

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
    const radius = Math.sqrt(-2 * Math.log(positive(at(block, pair))));
    const angle = 2 * Math.PI * (at(block, pair + 1) >>> 8) * 2 ** -24;
    const value = radius * (index % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    // WGSL: sin and cos are within 2^-11 on [-pi, pi]; the radius within a few ulps and 2^-21 in the log.
    return [value, radius * 2 ** -11 + roundings(radius, 8) + 2 ** -21 / Math.max(radius, 2 ** -11)];
  },
};

/** The draws that the reference knows, for the test that compares them with the library's. */
export const generatorNames: ReadonlySet<string> = new Set(Object.keys(generators));
