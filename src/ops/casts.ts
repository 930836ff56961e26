import casts from '../../shaders/elementwise/casts.wgsl';
import half from '../../shaders/elementwise/half.wgsl';
import { type DType, isFloat } from '../graph/dtype.js';
import type { Vjp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { apply, opOf } from './elementwise.js';

const dtypes: readonly DType[] = ['f32', 'f16', 'i32', 'u32', 'bool'];

function cast(name: string, result: DType, module: WgslModule = casts) {
  // Asked only between floats. Cotangents are f32 whatever the dtype of what they belong to.
  const vjp: Vjp | undefined = isFloat(result) ? ({ cotangent }) => [cotangent] : undefined;
  const spec = { name, module, dtypes, result, ...(vjp && { vjp }) };
  const op = opOf(spec);
  const call = (x: TensorLike): Tensor => {
    const tensor = x instanceof Tensor ? x : asTensor(name, x);
    return tensor.dtype === result ? currentValue(tensor) : apply(spec, op, [tensor]);
  };
  return Object.assign(call, { op, spec, arity: 1 as const });
}

/** As f32: integers to the nearest float, bools to 0 or 1. No gradient flows through casts of integers. */
export const toF32 = cast('toF32', 'f32');
/**
 * As f16: to the nearest, the even one of two; above 65504 infinity. A tensor stored so takes half the memory, where the
 * adapter has `shader-f16`; elsewhere it holds the same values in four bytes. Arithmetic takes f32: `toF32(x)`, which costs
 * nothing inside the kernel that reads it. `matmul` takes f16 as it is. The gradient passes as f32, unrounded.
 */
export const toF16 = cast('toF16', 'f16', half);
/** As i32: floats truncated toward zero and held to the range, NaN as 0; a u32 keeps its bits. */
export const toI32 = cast('toI32', 'i32');
/** As u32: floats truncated and held to the range, NaN and negative ones as 0; an i32 keeps its bits. */
export const toU32 = cast('toU32', 'u32');
/** True where not zero. */
export const toBool = cast('toBool', 'bool');

/** As another dtype. */
export function castTo(x: TensorLike, dtype: DType): Tensor {
  return { f32: toF32, f16: toF16, i32: toI32, u32: toU32, bool: toBool }[dtype](x);
}
