/** Bindings and ranges begin at multiples of so many bytes on every device. */
export const ALIGNMENT = 256;

/** Up to the next multiple; 0 stays 0. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
