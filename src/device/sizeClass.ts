/** Sizes and offsets of pooled buffers are multiples of this many bytes: WebGPU's default offset alignment. */
const GRAIN = 256;

/**
 * The capacity in bytes of the size class that holds `bytes`, at most `most`: multiples of 256 up to 1024,
 * then four classes to each doubling (1, 1.25, 1.5, 1.75), so that above 1024 less than 25 % is wasted.
 * The topmost class is `most` itself, rounded down to the 4 bytes that bindings and copies need.
 *
 * @param bytes at least 0; 0 counts as 1.
 * @param most a device's limit in bytes; a caller checks that `bytes` fits first.
 */
export function sizeClass(bytes: number, most = Number.MAX_SAFE_INTEGER): number {
  let step = GRAIN;
  // Doubling in floating point: shifts would wrap at 2 GiB.
  while (step * 8 < bytes) step *= 2;
  const capacity = Math.max(1, Math.ceil(bytes / step)) * step;
  return Math.min(capacity, Math.floor(most / 4) * 4);
}

/** `134217728 bytes (128 MiB)`; below 1 MiB the bytes alone. */
export function formatBytes(bytes: number): string {
  const plain = `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1 ? plain : `${plain} (${Number(mebibytes.toFixed(1))} MiB)`;
}
