import compSumWgsl from '../../../shaders/losses/compSum.wgsl';
import { rowHostVariants } from '../../../src/custom/rowHost.js';
import { first } from '../../../src/kernels/variants.js';
import { PRODUCT_KERNELS } from '../../../src/ops/matmul/product.js';
import { FLOATS, matmulShape } from '../../../src/ops/matmul/shape.js';
import { matmulVariants } from '../../../src/ops/matmul/variants.js';
import type { HandKernel } from './dispatch.js';
import type { HandGpu } from './handGpu.js';

/** A hook's WGSL and what it binds. */
export interface Hook {
  readonly code: string;
  readonly buffers: Readonly<Record<string, GPUBuffer>>;
  readonly extra?: Readonly<Record<string, 'read' | 'read_write'>>;
}

export interface HandProduct {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Row-major as multiplied, or given transposed. */
  readonly a: { readonly buffer: GPUBuffer; readonly transposed?: boolean };
  readonly b: { readonly buffer: GPUBuffer; readonly transposed?: boolean };
  /** `store_result(batch, row, column, value)`. */
  readonly store: Hook;
  /** `store_sum(column, value)` for the sum of each column of b, when it is wanted too. */
  readonly storeSum?: Hook;
}

/** A matrix product by the kernel and tile that the library itself picks for its size. */
export function product(device: HandGpu, { rows, inner, columns, a, b, store, storeSum }: HandProduct): HandKernel {
  const [aTransposed, bTransposed] = [a.transposed === true, b.transposed === true];
  const left = { offset: 0, batch: 0, row: aTransposed ? 1 : inner, column: aTransposed ? rows : 1 };
  const right = { offset: 0, batch: 0, row: bTransposed ? 1 : columns, column: bTransposed ? inner : 1 };
  // The engine's static choice: the step by hand runs the same kernels.
  const { kernel, replace, overrides, workgroups } = first(
    matmulVariants(device, matmulShape({ rows, inner, columns, batches: 1 }, left, right, FLOATS)).variants,
  );
  return {
    kernel: PRODUCT_KERNELS[kernel],
    replace: {
      ...replace,
      store_result: store.code,
      store_sum: storeSum?.code ?? 'fn store_sum(column: u32, value: f32) {}',
    },
    buffers: { a: a.buffer, b: b.buffer, ...store.buffers, ...storeSum?.buffers },
    extra: { ...store.extra, ...storeSum?.extra },
    sizes: {
      rows,
      columns,
      inner,
      batches: 1,
      aRow: left.row,
      aInner: left.column,
      bInner: right.row,
      bColumn: right.column,
    },
    overrides: { ...overrides, COLUMN_SUMS: Number(storeSum !== undefined) },
    workgroups,
  };
}

interface Rows {
  readonly rows: number;
  readonly classes: number;
  readonly logits: GPUBuffer;
  readonly labels: GPUBuffer;
  readonly values: GPUBuffer;
  readonly gradients: GPUBuffer;
}

/** Softmax cross-entropy of each row, and the gradient of their mean by the logits, in one kernel. */
export function crossEntropyRows(device: HandGpu, given: Rows): HandKernel {
  const { rows, classes, logits, labels, values, gradients } = given;
  const { kernel, overrides, workgroups } = first(rowHostVariants(device, 'by hand', rows, classes).variants);
  return {
    kernel,
    appended: compSumWgsl,
    replace: {
      load_cotangent: `fn load_cotangent(row: u32) -> f32 { return ${1 / rows}; }`,
      SLOPED: 'const SLOPED = true;',
      complain: 'fn complain(word: u32, found: u32) {}',
      loadParameters: 'fn loadParameters() -> Parameters { return Parameters(1.0); }',
    },
    buffers: { logits, labels, value: values, gradients },
    sizes: { rows, classes, gridWidth: workgroups[0], hasIgnoreIndex: 0, ignoreIndex: 0 },
    overrides,
    workgroups,
  };
}
