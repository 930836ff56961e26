// Philox-4x32-10: four random u32 from a counter and a key, by integer arithmetic alone: the same bits everywhere.
// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"; agrees with Random123's known answers.

// The upper and lower 32 bits of a b. WGSL has no 64-bit product: it is made of 16-bit halves.
fn multiplyWide(a: u32, b: u32) -> vec2<u32> {
  let aLow = a & 0xffffu;
  let aHigh = a >> 16u;
  let bLow = b & 0xffffu;
  let bHigh = b >> 16u;
  let first = aHigh * bLow + ((aLow * bLow) >> 16u);
  let second = aLow * bHigh + (first & 0xffffu);
  return vec2<u32>(aHigh * bHigh + (first >> 16u) + (second >> 16u), a * b);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round += 1u) {
    let product0 = multiplyWide(0xd2511f53u, c.x);
    let product1 = multiplyWide(0xcd9e8d57u, c.z);
    c = vec4<u32>(product1.x ^ c.y ^ k.x, product1.y, product0.x ^ c.w ^ k.y, product0.y);
    k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}
