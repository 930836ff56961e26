/** Uniform draws in [0, 1) from a 32-bit seed (mulberry32): the same inputs for every engine and run. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296;
  };
}

/** Uniform in [-bound, bound), as f32. */
export function symmetric(length: number, bound: number, seed: number): Float32Array<ArrayBuffer> {
  const draw = uniform(seed);
  return Float32Array.from({ length }, () => (2 * draw() - 1) * bound);
}

/** At most `most` of the first `count` whole numbers, from first to last: the rows that a reference computes. */
export function someOf(count: number, most: number): number[] {
  const some = Math.min(count, most);
  return Array.from({ length: some }, (_, i) => (some === 1 ? 0 : Math.round((i * (count - 1)) / (some - 1))));
}
