// f16 (IEEE 754 binary16) on the host, between the bits of f32 and its own: what shaders/elementwise/half.wgsl does on the
// GPU. By integers, in loops, for whole tensors come and go through here: some 5 ns an element.

/** f32's bits of what f16 has room for: 65520 and more is infinity, below 2^-14 it counts steps of 2^-24. */
const [INFINITE, NORMAL, NAN] = [0x477ff000, 0x38800000, 0x7f800000];
/** The difference of the exponents' biases, in place. */
const REBIAS = 0x38000000;
/** A double plus this and less it is rounded to an integer, the even one of two. */
const INTEGERS = 2 ** 52;

/** The bits of the f16 nearest to each number, the even one of two. @param length of the result; 0 beyond the data. */
export function packHalves(data: Float32Array, length = data.length): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const halves = new Uint16Array(length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude >= NORMAL && magnitude < INFINITE) {
      // 13 of 23 bits go; a carry out of the rest is one exponent more.
      half = (magnitude + 0xfff + ((magnitude >> 13) & 1) - REBIAS) >> 13;
    } else if (magnitude < NORMAL) {
      half = Math.abs(data[i] as number) * 2 ** 24 + INTEGERS - INTEGERS;
    } else half = magnitude > NAN ? 0x7e00 : 0x7c00;
    halves[i] = ((word >>> 16) & 0x8000) | half;
  }
  return halves;
}

/** The numbers that 16 bits each stand for. */
export function unpackHalves(halves: Uint16Array): Float32Array<ArrayBuffer> {
  const data = new Float32Array(halves.length);
  const words = new Uint32Array(data.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] as number;
    const magnitude = half & 0x7fff;
    const sign = (half & 0x8000) << 16;
    if (magnitude < 0x400) data[i] = (sign === 0 ? 1 : -1) * magnitude * 2 ** -24;
    else words[i] = sign | ((magnitude << 13) + (magnitude < 0x7c00 ? REBIAS : 2 * REBIAS));
  }
  return data;
}

/** The f16 nearest to a number, which is an f32 first, as it is in arrays and kernels. */
export function roundToHalf(value: number): number {
  return unpackHalves(packHalves(Float32Array.of(value)))[0] as number;
}
