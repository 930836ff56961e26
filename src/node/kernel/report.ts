import type { MeasuredLimits, ProfiledDispatch } from '../../index.js';
import type { Sizes } from './subjects.js';

/** What the terminal asks of the page. */
export interface KernelRequest {
  /** Path under shaders/. */
  readonly file: string;
  /** Empty: the file's own sweep. */
  readonly sizes: readonly Sizes[];
}

export interface KernelRow {
  readonly use: string;
  readonly sizes: Sizes;
  /** Whose choice of kernels led to the file. */
  readonly asOn: string;
  /** The dispatches that the file is in. */
  readonly dispatches: readonly ProfiledDispatch[];
}

export interface KernelReport {
  readonly limits: MeasuredLimits | undefined;
  /** Cases that were compared with the reference. */
  readonly checked: number;
  /** In words. */
  readonly failures: readonly string[];
  /** Cases that no choice of kernels brings to this file. */
  readonly elsewhere: readonly string[];
  /** Empty when something was wrong. */
  readonly rows: readonly KernelRow[];
}
