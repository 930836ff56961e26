import indexWgsl from '../../shaders/elementwise/index.wgsl';
import { ValueError } from '../errors.js';
import type { DType } from '../graph/dtype.js';
import type { GeneratorOp } from '../graph/op.js';
import { checkShape, type Shape } from '../graph/shape.js';
import { checkNumber, constant } from '../graph/source.js';
import { Tensor } from '../graph/tensor.js';
import { add, multiply } from './arithmetic.js';
import { broadcastTo } from './broadcast.js';
import { castTo } from './casts.js';
import { equal } from './comparison.js';
import { expandDims } from './shaping.js';

export interface CreateOptions {
  /** Default f32. */
  readonly dtype?: DType;
}

/** One number everywhere. Takes no memory until it must lie in a buffer. */
export function full(shape: Shape, value: number, { dtype = 'f32' }: CreateOptions = {}): Tensor {
  checkShape('full', shape);
  return broadcastTo(constant(checkNumber('full', value, dtype), dtype), shape);
}

export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return full(shape, 1, options);
}

const iota = (name: string): GeneratorOp => ({ name, kind: 'generator', module: indexWgsl, function: name });
const iotas = { f32: iota('iotaF32'), i32: iota('iotaI32'), u32: iota('iotaU32') };

/** 0, 1, … along one axis, as a function of the index: not stored unless it must be. */
export function indices(length: number, dtype: 'f32' | 'i32' | 'u32' = 'i32'): Tensor {
  return new Tensor(iotas[dtype], [], [length], dtype);
}

/** `start`, `start + step`, … below `end` (above it for a negative step). */
export function arange(start: number, end: number, step = 1, { dtype = 'f32' }: CreateOptions = {}): Tensor {
  const length = Math.ceil((end - start) / step);
  if (step === 0 || !Number.isFinite(length)) {
    throw new ValueError('arange', `start ${start}, end ${end}, step ${step} give no finite sequence.`);
  }
  if (dtype === 'bool') throw new ValueError('arange', 'dtype is bool; it takes f32, f16, i32, u32.');
  const counts = indices(Math.max(0, length), dtype === 'f16' ? 'f32' : dtype);
  return castTo(add(multiply(counts, step), start), dtype);
}

/** Ones on the diagonal, zeros elsewhere. */
export function eye(rows: number, columns = rows): Tensor {
  return castTo(equal(expandDims(indices(rows), 1), indices(columns)), 'f32');
}

/** A last axis of `classes`: 1 at each label (i32 or u32), 0 elsewhere; all 0 for a label out of range. */
export function oneHot(labels: Tensor, classes: number, { dtype = 'f32' }: CreateOptions = {}): Tensor {
  if (!Number.isInteger(classes) || classes < 0) {
    throw new ValueError('oneHot', `classes is ${classes}; it must be an integer of at least 0.`);
  }
  if (labels.dtype !== 'i32' && labels.dtype !== 'u32') {
    throw new ValueError('oneHot', `labels are ${labels.dtype}; they must be i32 or u32.`, {
      mend: 'cast them: toI32(labels).',
    });
  }
  return castTo(equal(expandDims(labels, -1), indices(classes, labels.dtype)), dtype);
}
