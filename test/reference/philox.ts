/**
 * Philox-4x32-10 (Salmon et al. 2011) in plain numbers: products by 16-bit halves, so that no double loses a bit.
 */
function wideProduct(a: number, b: number): [high: number, low: number] {
  const low = Math.imul(a, b) >>> 0;
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 65536);
  const carry = (middle % 65536) + aLow * bHigh;
  return [aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536), low];
}

export type Block = [number, number, number, number];

export function philox(counter: Readonly<Block>, key: readonly [number, number]): Block {
  let [a, b, c, d] = counter;
  let [low, high] = key;
  for (let round = 0; round < 10; round++) {
    const [firstHigh, firstLow] = wideProduct(a, 0xd2511f53);
    const [secondHigh, secondLow] = wideProduct(c, 0xcd9e8d57);
    [a, b, c, d] = [(secondHigh ^ b ^ low) >>> 0, secondLow, (firstHigh ^ d ^ high) >>> 0, firstLow];
    low = (low + 0x9e3779b9) >>> 0;
    high = (high + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}
