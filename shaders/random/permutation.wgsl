// A pseudo-random order of 0 .. count - 1 by a keyed bijection: each index finds its place alone, nothing is stored.
//   An alternating Feistel network over the next power of two, in two halves of bits; places outside [0, count)
//   walk on until they are inside, fewer than 2 walks on the average. A rotation comes first.
// counter  (half's bits, 1 + round, step, stream), key (seedLow, seedHigh); the second word keeps it apart from
//          the draws of generators.wgsl. The rotation is round 0
// cost     12 Philox calls a walk, 24 up to 32 elements, where few bits mix slowly
// measured every order of 2, 3, 4, 5, 6 or 7 elements equally often over 500 000 keys (chi-square as by chance)
// include common/philox.wgsl     philox

// Where index stands in the order, for index < count. A bijection of [0, count), count at most 2^31.
fn permutedIndex(index: u32, count: u32, seedLow: u32, seedHigh: u32, stream: u32, step: u32) -> u32 {
  if (count < 2u) { return 0u; }
  let key = vec2<u32>(seedLow, seedHigh);
  let bits = 32u - countLeadingZeros(count - 1u);
  let rounds = select(12u, 24u, bits <= 5u);
  let lowBits = (bits + 1u) / 2u;
  let lowMask = (1u << lowBits) - 1u;
  let highMask = (1u << (bits - lowBits)) - 1u;
  var place = (index + philox(vec4<u32>(0u, 1u, step, stream), key).x % count) % count;
  loop {
    var low = place & lowMask;
    var high = place >> lowBits;
    for (var round = 1u; round < rounds; round += 2u) {
      low ^= philox(vec4<u32>(high, 1u + round, step, stream), key).x & lowMask;
      high ^= philox(vec4<u32>(low, 2u + round, step, stream), key).x & highMask;
    }
    place = (high << lowBits) | low;
    if (place < count) { break; }
  }
  return place;
}
