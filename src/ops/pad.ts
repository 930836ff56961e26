import padWgsl from '../../shaders/indexing/pad.wgsl';
import { checkNames, formatShape, ShapeError } from '../errors.js';
import { lowering } from '../graph/lowering.js';
import type { KernelOp } from '../graph/op.js';
import { currentValue } from '../graph/parameter.js';
import { asTensor, checkNumber } from '../graph/source.js';
import { Tensor, type TensorLike } from '../graph/tensor.js';
import { broadcastTo } from './broadcast.js';
import { elementAlias, linearGrid } from './elements.js';
import { type Range, slice } from './shaping.js';

export interface PadOptions {
  /** Elements before each axis; negative ones cut. Default 0. */
  readonly low?: readonly number[];
  /** Elements after each axis; negative ones cut. Default 0. */
  readonly high?: readonly number[];
  /** Elements between neighbours of each axis. Default 0. */
  readonly interior?: readonly number[];
  /** What is filled in. Default 0. */
  readonly value?: number;
}

const padOp: KernelOp = {
  name: 'pad',
  kind: 'kernel',
  access: ['hook'],
  vjp: ({ cotangent, inputs: [x], attributes }) => {
    const { shape } = x as Tensor;
    const low = attributes.low as number[];
    const high = attributes.high as number[];
    const interior = attributes.interior as number[];
    // Undo the cut ends with zeros, then take every (interior + 1)-th.
    const grown = pad(cotangent, {
      low: low.map((amount) => Math.max(0, -amount)),
      high: high.map((amount) => Math.max(0, -amount)),
    });
    const ranges = shape.map((length, axis): Range => {
      const step = (interior[axis] ?? 0) + 1;
      const first = Math.max(0, low[axis] ?? 0);
      return [first, first + Math.max(0, (length - 1) * step + 1), step];
    });
    return [(x as Tensor).size === 0 ? undefined : slice(grown, ...ranges)];
  },
  lower: ({ node, inputs }) => {
    const [source] = inputs as [Tensor];
    const grid = linearGrid(node.size);
    const { low, interior, value } = node.attributes as { low: number[]; interior: number[]; value: number };
    const uniforms: Record<string, number> = {
      count: node.size,
      rank: node.rank,
      gridWidth: grid.gridWidth,
      fill: value,
    };
    node.shape.forEach((length, axis) => {
      uniforms[`resultShape.${axis}`] = length;
      uniforms[`sourceShape.${axis}`] = source.shape[axis] ?? 1;
      uniforms[`low.${axis}`] = low[axis] ?? 0;
      uniforms[`step.${axis}`] = (interior[axis] ?? 0) + 1;
    });
    return lowering({
      kernel: padWgsl,
      loads: { load_source: { tensor: source, extents: [source.size] } },
      stores: { store_result: { tensor: node, extents: [node.size] } },
      replace: elementAlias(node),
      uniforms,
      overrides: grid.overrides,
      workgroups: grid.workgroups,
    });
  },
};

/**
 * Surrounds (or, with negative amounts, cuts) each axis, and spreads its elements apart.
 * @throws ShapeError for more than 8 axes or a size below 0.
 */
export function pad(x: TensorLike, options: PadOptions): Tensor {
  const tensor = asTensor('pad', x);
  const amounts = (list: readonly number[] | undefined, name: string) => {
    const full = list ?? tensor.shape.map(() => 0);
    if (full.length !== tensor.rank || !full.every(Number.isInteger)) {
      throw new ShapeError(
        'pad',
        `${name} is [${full.join(', ')}]; it needs one integer for each axis of ${formatShape(tensor.shape)}.`,
      );
    }
    return full;
  };
  checkNames('pad', options, ['low', 'high', 'interior', 'value']);
  const low = amounts(options.low, 'low');
  const high = amounts(options.high, 'high');
  const interior = amounts(options.interior, 'interior');
  if (tensor.rank > 8) throw new ShapeError('pad', `the tensor has ${tensor.rank} axes; at most 8 can be padded.`);
  if (interior.some((amount) => amount < 0))
    throw new ShapeError('pad', `interior is [${interior.join(', ')}]; it cannot be negative.`);
  const shape = tensor.shape.map((length, axis) => {
    const spread = length === 0 ? 0 : length + (length - 1) * (interior[axis] ?? 0);
    return (low[axis] ?? 0) + spread + (high[axis] ?? 0);
  });
  if (shape.some((length) => length < 0))
    throw new ShapeError('pad', `${formatShape(tensor.shape)} would become ${formatShape(shape)}.`);
  if ([low, high, interior].every((list) => list.every((amount) => amount === 0))) return currentValue(tensor);
  const value = checkNumber('pad', options.value ?? 0, tensor.dtype);
  if (tensor.size === 0) return broadcastTo(asTensor('pad', value, tensor.dtype), shape);
  return new Tensor(padOp, [tensor], shape, tensor.dtype, { low, high, interior, value });
}
