import { describe, expect, test } from 'vitest';
import { type PhiloxCounter, type PhiloxKey, philox } from '../../src/data/philox.js';
import { philoxBigInt } from './philoxBigInt.js';
import { random, seeds } from './random.js';

function draw(counter: PhiloxCounter, key: PhiloxKey): string {
  const out = new Uint32Array(4);
  philox(counter, key, out);
  return Array.from(out, (word) => word.toString(16).padStart(8, '0')).join(' ');
}

const ALL = 0xffffffff;

describe('philox', () => {
  // Random123's kat_vectors, philox4x32 10.
  test.each<[PhiloxCounter, PhiloxKey, string]>([
    [[0, 0, 0, 0], [0, 0], '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    [[ALL, ALL, ALL, ALL], [ALL, ALL], '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('known answer of counter %j, key %j', (counter, key, answer) => {
    expect(draw(counter, key)).toBe(answer);
  });

  test.each(seeds(4))('agrees with 64-bit arithmetic (seed %i)', (seed) => {
    const { below } = random(seed);
    const word = (): number => below(2 ** 32);
    for (let i = 0; i < 50; i++) {
      const counter: PhiloxCounter = [word(), word(), word(), word()];
      const key: PhiloxKey = [word(), word()];
      const expected = philoxBigInt(counter, key).map((value) => value.toString(16).padStart(8, '0'));
      expect(draw(counter, key)).toBe(expected.join(' '));
    }
  });
});
