import { formatShape, ShapeError } from '../errors.js';
import type { ViewOp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { checkShape, type Shape, sameShape } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { expandView, reshapeView } from '../graph/view.js';
import { sum } from './reduce.js';

const expandOp: ViewOp = {
  name: 'broadcastTo',
  kind: 'view',
  view: (input, shape) => expandView(input, shape),
  vjp: ({ cotangent, inputs: [x] }) => [sumTo(cotangent, (x as Tensor).shape)],
};

const reshapeOp: ViewOp = {
  name: 'reshape',
  kind: 'view',
  view: (input, shape) => reshapeView(input, shape),
  vjp: ({ cotangent, inputs: [x] }) => [reshapeExactly(cotangent, (x as Tensor).shape)],
};

/**
 * Repeats axes of size 1, and adds axes in front, until the shape is `shape`; nothing is copied.
 * The cotangent is summed back over what was repeated.
 * @throws ShapeError when an axis is neither equal nor 1.
 */
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const tensor = asTensor('broadcastTo', x);
  if (sameShape(tensor.shape, shape)) return currentValue(tensor);
  checkShape('broadcastTo', shape);
  const added = shape.length - tensor.rank;
  const fits = tensor.shape.every((length, axis) => length === 1 || length === shape[axis + added]);
  if (added < 0 || !fits) {
    throw new ShapeError('broadcastTo', `${formatShape(tensor.shape)} does not stretch to ${formatShape(shape)}.`, {
      mend: 'only axes of size 1 stretch, counted from the last.',
    });
  }
  return new Tensor(expandOp, [tensor], [...shape], tensor.dtype);
}

/** Sums over the axes along which `shape` was broadcast to `x`'s. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return currentValue(x);
  const added = x.rank - shape.length;
  const axes = x.shape.flatMap((length, axis) =>
    axis < added || (shape[axis - added] === 1 && length !== 1) ? [axis] : [],
  );
  return reshapeExactly(sum(x, { axes }), shape);
}

/** The same elements in row-major order under a shape of the same size. */
export function reshapeExactly(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return currentValue(x);
  return new Tensor(reshapeOp, [x], [...shape], x.dtype);
}
