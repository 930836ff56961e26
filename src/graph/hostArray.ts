import type { TypedArray } from './dtype.js';

/**
 * An array in the host's memory with its shape: what a compiled step takes where a bare typed array would not say
 * its shape. `data` is row-major and holds exactly the product of `shape` elements.
 */
export interface HostArray<Data extends TypedArray = TypedArray> {
  readonly data: Data;
  readonly shape: readonly number[];
}
