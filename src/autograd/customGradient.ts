import { formatShape, ShapeError, ValueError } from '../errors.js';
import type { ViewOp } from '../graph/op.js';
import { sameShape } from '../graph/shape.js';
import { asTensor } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';

const stopOp: ViewOp = { name: 'stopGradient', kind: 'view', view: (input) => input, vjp: () => [undefined] };

/** The same value, through which no gradient flows. Costs nothing. */
export function stopGradient(x: TensorLike): Tensor {
  const tensor = asTensor('stopGradient', x);
  return new Tensor(stopOp, [tensor], tensor.shape, tensor.dtype);
}

export interface CustomGradient {
  /** The value, from public ops. */
  readonly forward: (...inputs: Tensor[]) => Tensor;
  /** One cotangent for each input (undefined: none flows), from public ops, so that it can be differentiated again. */
  readonly backward: (context: {
    readonly cotangent: Tensor;
    readonly inputs: readonly Tensor[];
    readonly output: Tensor;
  }) => readonly (Tensor | undefined)[];
}

/**
 * A function with a derivative of your own: a straight-through estimator, a clipped gradient.
 * @example const roundThrough = customGradient({ forward: round, backward: ({ cotangent }) => [cotangent] });
 */
export function customGradient({ forward, backward }: CustomGradient): (...inputs: TensorLike[]) => Tensor {
  if (typeof forward !== 'function' || typeof backward !== 'function') {
    throw new ValueError('customGradient', 'it takes { forward, backward }, both functions.');
  }
  return (...inputs) => {
    const tensors = inputs.map((input) => asTensor('customGradient', input));
    // Forward sees its inputs cut off: the only way back is the node made here.
    const value = forward(...tensors.map(stopGradient));
    const op: ViewOp = {
      name: 'customGradient',
      kind: 'view',
      view: (view) => view,
      vjp: ({ cotangent, output }) => {
        const parts = backward({ cotangent, inputs: tensors, output });
        if (parts.length !== tensors.length) {
          throw new ValueError(
            'customGradient',
            `backward gave ${parts.length} cotangents for ${tensors.length} inputs.`,
          );
        }
        parts.forEach((part, i) => {
          const input = tensors[i] as Tensor;
          if (part === undefined || sameShape(part.shape, input.shape)) return;
          throw new ShapeError(
            'customGradient',
            `backward's cotangent ${i} is ${formatShape(part.shape)}, its input ${formatShape(input.shape)}.`,
          );
        });
        return [undefined, ...parts];
      },
    };
    // A view of the value; the inputs hang on it for the way back alone.
    return new Tensor(op, [value, ...tensors], value.shape, value.dtype);
  };
}
