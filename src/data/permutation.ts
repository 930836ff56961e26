import { ValueError } from '../errors.js';
import { philox } from './philox.js';

/** What a draw is keyed by: equal keys draw equal numbers, on every device. All are integers in [0, 2^32). */
export interface DrawKey {
  readonly seed: number;
  /** Which use of the seed this is, so that uses of one seed do not share numbers. */
  readonly stream: number;
  readonly epoch: number;
}

/** Streams of the data layer, spelled in ASCII: `shuf`, `spli`. */
export const SHUFFLE_STREAM = 0x73687566;
export const SPLIT_STREAM = 0x73706c69;

const TWO_TO_32 = 2 ** 32;

/**
 * A uniformly drawn order of `0 .. count - 1` (Fisher-Yates over Philox, each index drawn without bias).
 *
 * @param out `[count]`, filled and returned; a new array by default.
 */
export function permutation(count: number, key: DrawKey, out: Uint32Array = new Uint32Array(count)): Uint32Array {
  const below = integersBelow(key);
  for (let i = 0; i < count; i++) out[i] = i;
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    const held = out[i] ?? 0;
    out[i] = out[j] ?? 0;
    out[j] = held;
  }
  return out;
}

/** A source of integers in `[0, bound)`, for bounds up to 2^32. */
export function integersBelow({ seed, stream, epoch }: DrawKey): (bound: number) => number {
  const block = new Uint32Array(4);
  let blocks = 0;
  let used = 4;
  const next = (): number => {
    if (used === 4) {
      // Beyond 2^32 blocks the count carries into the third word; the second is the epoch.
      philox([blocks % TWO_TO_32, epoch, Math.floor(blocks / TWO_TO_32), 0], [seed, stream], block);
      blocks += 1;
      used = 0;
    }
    return block[used++] ?? 0;
  };
  return (bound) => {
    // Draws past the last whole multiple of the bound would favour small results: draw again.
    const limit = TWO_TO_32 - (TWO_TO_32 % bound);
    let drawn = next();
    while (drawn >= limit) drawn = next();
    return drawn % bound;
  };
}

/** Throws ValueError unless the value is an integer in [0, 2^32). */
export function checkUnsigned(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= TWO_TO_32) {
    throw new ValueError(op, `${name} is ${value}; it must be an integer in [0, 4294967296).`);
  }
}
