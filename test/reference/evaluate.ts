import type { Attributes } from '../../src/graph/op.js';
import { Parameter } from '../../src/graph/parameter.js';
import type { Tensor } from '../../src/graph/tensor.js';
import { convolved } from './convolution.js';
import { elementwise } from './elementwise.js';
import { generated } from './generators.js';
import { nearestHalf } from './half.js';
import { gathered, scattered } from './indexing.js';
import { product } from './matmul.js';
import { momentsOf } from './moments.js';
import { maxIndices, placed, taken, windowSums, windowsSpread } from './pooling.js';
import { argument, cumulative, reduced, rowwise } from './reduce.js';
import { at, empty, SMALLEST_NORMAL, sizeOf, type Value, wrap } from './value.js';
import { broadcast, concatenated, padded, permuted, reshaped, sliced } from './views.js';

/** Values in place of a tensor's own: placeholders, parameters that live on the GPU, moved inputs. */
export type Bindings = ReadonlyMap<Tensor, ArrayLike<number>>;

/**
 * The value of a graph in float64, with a bound on what f32 may make of it. It reads the nodes' names, inputs
 * and attributes and nothing else of `src`: no WGSL, no views, no planner.
 */
export function evaluate(tensor: Tensor, bindings?: Bindings): Value;
export function evaluate(tensors: readonly Tensor[], bindings?: Bindings): Value[];
export function evaluate(given: Tensor | readonly Tensor[], bindings: Bindings = new Map()): Value | Value[] {
  const done = new Map<Tensor, Value>();
  const roots: readonly Tensor[] = 'op' in given ? [given] : given;
  for (const root of roots) visit(root, bindings, done);
  const values = roots.map((root) => done.get(root) as Value);
  return 'op' in given ? (values[0] as Value) : values;
}

/** Inputs before their users, without recursion: graphs may be 20,000 nodes deep. */
function visit(root: Tensor, bindings: Bindings, done: Map<Tensor, Value>): void {
  const stack = [root];
  for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
    const bound = bindings.get(node);
    const missing = done.has(node) || bound !== undefined ? [] : node.inputs.filter((input) => !done.has(input));
    const [next] = missing;
    if (next !== undefined) {
      stack.push(next);
      continue;
    }
    stack.pop();
    if (!done.has(node)) done.set(node, bound === undefined ? compute(node, done) : leaf(node, bound));
  }
}

function leaf({ shape, dtype }: Tensor, data: ArrayLike<number>): Value {
  const value = empty(shape, dtype);
  if (data.length !== value.data.length) throw new Error(`reference: ${data.length} numbers bound to [${shape}]`);
  for (let i = 0; i < data.length; i++) {
    value.data[i] = at(data, i);
    // A subnormal may be flushed when it is loaded.
    const size = Math.abs(at(data, i));
    if (dtype === 'f32' && size < SMALLEST_NORMAL) value.error[i] = size;
  }
  return value;
}

function compute(node: Tensor, done: ReadonlyMap<Tensor, Value>): Value {
  if (node instanceof Parameter) {
    if (node.initial === undefined) throw new Error(`reference: bind ${node}: its value lies on the GPU`);
    return reshaped(evaluate(node.initial), node.shape);
  }
  const { source, dtype, shape, op } = node;
  if (source?.kind === 'host') return leaf(node, dtype === 'f16' ? source.data.map(nearestHalf) : source.data);
  if (source?.kind === 'constant') return leaf(node, [stored(source.value, dtype)]);
  if (source?.kind === 'scalar') return leaf(node, [stored(source.read(), dtype)]);
  if (source !== undefined) throw new Error(`reference: bind ${node}: a ${source.kind} has no value of its own`);
  const inputs = node.inputs.map((input) => done.get(input) as Value);
  if (op.kind === 'elementwise') return elementwise(op.name, inputs, shape, dtype);
  if (op.kind === 'generator') return generated(op.name, inputs, shape, dtype);
  const [first, second] = inputs;
  const rule = rules[op.name];
  if (rule === undefined || first === undefined) {
    if (op.name === 'concatenate' && sizeOf(shape) === 0) return empty(shape, dtype);
    throw new Error(`reference: no rule for ${node}`);
  }
  return rule({ node, first, second: second ?? first, inputs, attributes: node.attributes });
}

/** A number as the dtype holds it. */
function stored(value: number, dtype: Tensor['dtype']): number {
  if (dtype === 'f16') return nearestHalf(Math.fround(value));
  return dtype === 'f32' ? Math.fround(value) : wrap(Math.trunc(value), dtype);
}

interface RuleContext {
  readonly node: Tensor;
  readonly first: Value;
  readonly second: Value;
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
}

type Rule = (context: RuleContext) => Value;

const list = (attribute: Attributes[string]): readonly number[] => attribute as readonly number[];
const reduce: Rule = ({ node, first }) => reduced(node.op.name, first, node.shape);
const rows: Rule = ({ node, first }) => rowwise(node.op.name, first, node.shape);
const choose: Rule = ({ node, first }) => argument(node.op.name, first, node.shape);
const convolve: Rule = ({ node, first, second, attributes }) =>
  convolved(node.op.name, first, second, node.shape, attributes);
const same: Rule = ({ first }) => first;

const rules: Readonly<Record<string, Rule>> = {
  broadcastTo: ({ node, first }) => broadcast(first, node.shape),
  reshape: ({ node, first }) => reshaped(first, node.shape),
  permute: ({ node, first, attributes }) => permuted(first, node.shape, list(attributes.order)),
  slice: ({ node, first, attributes }) => sliced(first, node.shape, list(attributes.starts), list(attributes.steps)),
  stopGradient: same,
  value: same,
  customGradient: same,
  normalize: same,
  concatenate: ({ node, inputs, attributes }) =>
    concatenated(inputs, node.shape, node.dtype, attributes.axis as number),
  pad: ({ node, first, attributes: { low, interior, value } }) =>
    padded(first, node.shape, list(low), list(interior), stored(value as number, node.dtype)),
  gather: ({ node, first, second, attributes }) => gathered(first, second, node.shape, attributes.axis as number),
  scatterAdd: ({ node, first, second, attributes }) => scattered(first, second, node.shape, attributes.axis as number),
  matmul: ({ node, first, second }) => product(first, second, node.shape),
  conv2d: convolve,
  conv2dInput: convolve,
  conv2dWeight: convolve,
  maxPoolIndex: ({ node, first, attributes }) => maxIndices(first, node.shape, attributes),
  poolTake: ({ node, first, second }) => taken(first, second, node.shape),
  poolPlace: ({ node, first, second }) => placed(first, second, node.shape),
  poolSum: ({ node, first, attributes }) => windowSums(first, node.shape, attributes),
  poolSpread: ({ node, first, attributes }) => windowsSpread(first, node.shape, attributes),
  moments: ({ first, node }) => momentsOf(first, node.shape),
  sum: reduce,
  max: reduce,
  min: reduce,
  argmax: choose,
  argmin: choose,
  softmax: rows,
  logSoftmax: rows,
  logsumexp: rows,
  cumulativeSum: ({ first, attributes }) =>
    cumulative(first, attributes.reverse === true, attributes.exclusive === true),
};

/** The kernels and views that the reference knows. */
export const ruleNames: ReadonlySet<string> = new Set(Object.keys(rules));
