/** A small seeded generator (mulberry32), unrelated to the library's own. */
export interface Random {
  /** In [0, 1). */
  unit(): number;
  /** An integer in [0, bound). */
  below(bound: number): number;
  /** An integer in [low, high]. */
  integer(low: number, high: number): number;
  uniform(low: number, high: number): number;
  normal(): number;
  pick<T>(items: readonly T[]): T;
  /** `size` numbers rounded to f32. */
  floats(size: number, draw: (random: Random) => number): Float32Array<ArrayBuffer>;
}

export function random(seed: number): Random {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(unit() * bound);
  const self: Random = {
    unit,
    below,
    integer: (low, high) => low + below(high - low + 1),
    uniform: (low, high) => low + unit() * (high - low),
    normal: () => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError('pick from nothing');
      return item;
    },
    floats: (size, draw) => Float32Array.from({ length: size }, () => draw(self)),
  };
  return self;
}

/** A seed that a label determines: a case keeps its data when others are added. */
export function seedOf(label: string): number {
  let hash = 2166136261;
  for (const character of label) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  return hash >>> 0;
}
