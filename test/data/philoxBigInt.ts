import type { PhiloxCounter, PhiloxKey } from '../../src/data/philox.js';

/** The published rounds, written with 64-bit products. */
export function philoxBigInt(counter: PhiloxCounter, key: PhiloxKey): number[] {
  const low = (x: bigint): bigint => x & 0xffffffffn;
  let [a, b, c, d] = [BigInt(counter[0]), BigInt(counter[1]), BigInt(counter[2]), BigInt(counter[3])];
  let [k, l] = [BigInt(key[0]), BigInt(key[1])];
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * a;
    const second = 0xcd9e8d57n * c;
    [a, b, c, d] = [(second >> 32n) ^ b ^ k, low(second), (first >> 32n) ^ d ^ l, low(first)];
    [k, l] = [low(k + 0x9e3779b9n), low(l + 0xbb67ae85n)];
  }
  return [a, b, c, d].map(Number);
}
