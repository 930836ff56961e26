import { DtypeError } from '../errors.js';
import { type DType, isFloat } from '../graph/dtype.js';
import type { ElementwiseOp, Vjp } from '../graph/op.js';
import { broadcastShapes, type Shape } from '../graph/shape.js';
import { asTensor, number } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { broadcastTo } from './broadcast.js';

export interface ElementwiseSpec {
  readonly name: string;
  /** The WGSL file that holds `NAME_TYPE` for each dtype below. */
  readonly module: WgslModule;
  /** Dtypes that the (last) operand may have. */
  readonly dtypes: readonly DType[];
  /** Dtype of the result; default: the operand's. */
  readonly result?: DType;
  readonly vjp?: Vjp;
  /** The same on JavaScript numbers, so that an op on constants stays a constant. */
  readonly fold?: (...values: number[]) => number;
}

/** Every elementwise op, for the tests and the docs that walk them. */
export interface ElementwiseFunction {
  readonly op: ElementwiseOp;
  readonly spec: ElementwiseSpec;
  readonly arity: 1 | 2 | 3;
}

export type Unary = ((x: TensorLike) => Tensor) & ElementwiseFunction;
export type Binary = ((a: TensorLike, b: TensorLike) => Tensor) & ElementwiseFunction;

export function unary(spec: ElementwiseSpec): Unary {
  const op = opOf(spec);
  const call = (x: TensorLike) => {
    const dtype = x instanceof Tensor ? x.dtype : (spec.dtypes[0] ?? 'f32');
    return apply(spec, op, [asTensor(spec.name, x, dtype)]);
  };
  return Object.assign(call, { op, spec, arity: 1 as const });
}

export function binary(spec: ElementwiseSpec): Binary {
  const op = opOf(spec);
  const call = (a: TensorLike, b: TensorLike) => apply(spec, op, operands(spec.name, spec.dtypes, a, b));
  return Object.assign(call, { op, spec, arity: 2 as const });
}

export function opOf(spec: ElementwiseSpec): ElementwiseOp {
  return { name: spec.name, kind: 'elementwise', module: spec.module, vjp: spec.vjp };
}

/** Operands as tensors of one dtype: numbers take the dtype of the tensor beside them. */
export function operands(name: string, dtypes: readonly DType[], ...values: TensorLike[]): Tensor[] {
  const typed = values.find((value): value is Tensor => value instanceof Tensor);
  const dtype = typed?.dtype ?? dtypes[0] ?? 'f32';
  const tensors = values.map((value) => asTensor(name, value, dtype));
  for (const other of tensors) {
    if (other.dtype !== dtype) {
      const floats = isFloat(dtype) && isFloat(other.dtype);
      throw new DtypeError(name, `dtypes differ: ${dtype} and ${other.dtype}.`, {
        mend: floats ? 'cast the f16: toF32(x).' : 'cast one: toF32(x), toI32(x) or toU32(x).',
      });
    }
  }
  return tensors;
}

/** Checks dtypes, broadcasts, folds constants, and makes the node. */
export function apply(spec: ElementwiseSpec, op: ElementwiseOp, inputs: readonly Tensor[]): Tensor {
  const last = inputs.at(-1) as Tensor;
  checkDtype(spec.name, last.dtype, spec.dtypes);
  for (const input of inputs) input.assertNotFreed(spec.name);
  let shape: Shape = [];
  for (const input of inputs) shape = broadcastShapes(spec.name, shape, input.shape);
  const dtype = spec.result ?? last.dtype;
  const folded = spec.fold === undefined ? undefined : fold(spec.name, spec.fold, inputs, dtype);
  if (folded !== undefined) return broadcastTo(folded, shape);
  return new Tensor(
    op,
    inputs.map((input) => broadcastTo(input, shape)),
    shape,
    dtype,
  );
}

/** An op on numbers alone is a number: gradients begin with such. */
function fold(
  name: string,
  on: (...values: number[]) => number,
  inputs: readonly Tensor[],
  dtype: DType,
): Tensor | undefined {
  const values = inputs.map(anonymousValue);
  if (dtype !== 'f32' || !values.every((value) => value !== undefined)) return undefined;
  return number(name, Math.fround(on(...values.map(Math.fround))));
}

export function checkDtype(name: string, dtype: DType, allowed: readonly DType[]): void {
  if (allowed.includes(dtype)) return;
  throw new DtypeError(name, `dtype is ${dtype}; it takes ${allowed.join(', ')}.`, {
    mend: allowed.includes('f32') ? 'cast it: toF32(x).' : `cast it to ${allowed[0]}.`,
  });
}

/** The value of a number among tensors, also a broadcast one; undefined for what a user may differentiate by. */
export function anonymousValue(tensor: Tensor): number | undefined {
  let inner = tensor;
  while ((inner.op.name === 'broadcastTo' || inner.op.name === 'reshape') && inner.inputs[0] !== undefined)
    inner = inner.inputs[0];
  return inner.source?.kind === 'constant' && inner.source.anonymous === true ? inner.source.value : undefined;
}
