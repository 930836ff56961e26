import { DtypeError, formatShape, GradientError, ShapeError, ValueError } from '../errors.js';
import { engine } from './current.js';
import { bytesOf } from './encoding.js';
import type { Engine } from './engine.js';
import { isLeaf } from './ir.js';
import type { SourceOp } from './op.js';
import { sameShape } from './shape.js';
import { scalar } from './source.js';
import { Step } from './step.js';
import { Tensor, unbounded } from './tensor.js';
import { outsideOf, Trace, type TracedLoop } from './trace.js';
import { flattenTree, mapTree } from './tree.js';

const stateOp: SourceOp = { name: 'repeat', kind: 'source' };

const repeatOp: SourceOp = {
  name: 'repeat',
  kind: 'source',
  vjp: () => {
    throw new GradientError('repeat', 'it has no derivative, and the gradient passes through it.', {
      mend: 'unroll it with a JavaScript loop, or take the gradient inside its body.',
    });
  },
};

/**
 * Runs a body `count` times as one node of a compiled step: the body is traced and planned once, whatever the count,
 * and all iterations go to the GPU without a word from the host between them. An attack, a recurrence, an inner loop
 * of training steps.
 *
 * In the body `assign`, `optimizer.update`, random draws and `scalar(() => …)` do what they do in a compiled step, in
 * each iteration: effects come at its end, counts and schedules move on. What the body uses from outside is computed
 * once, before. The body's own JavaScript runs once. Outside `compile` the iterations run at once, with the same bits.
 *
 * @param count how often, a whole number.
 * @param body gets the state and the iteration's index (0-d, i32) and returns the next state, of the same structure,
 *   shapes and dtypes. Without `initial` it gets the index alone, and returns anything.
 * @param initial the first state: a tensor, or arrays and plain objects of tensors.
 * @returns what the last iteration returned; `initial` when `count` is 0.
 * @throws ShapeError or DtypeError when the next state is not like the state, naming the leaf; GradientError when a
 *   gradient would pass through it (inside the body `grad` works).
 * @example repeat(40, (x) => clamp(add(x, multiply(0.01, sign(grad(loss(model(x), labels), x)))), 0, 1), images)
 * @example repeat(40, () => optimizer.update(grad(loss(model(images), labels), optimizer.parameters)))
 */
export function repeat<Result>(count: number, body: (index: Tensor) => Result): Result;
export function repeat<const State>(
  count: number,
  body: (state: Carried<State>, index: Tensor) => Carried<State>,
  initial: State,
): Carried<State>;
export function repeat(count: number, body: (...inputs: never[]) => unknown, initial?: unknown): unknown {
  check(count, body, initial);
  const states = initial === undefined ? [] : leavesOf('the initial state', initial);
  if (count === 0) return initial;
  const owner = engine('repeat');
  const request = { count, body: body as Request['body'], initial, states };
  return owner.trace === undefined ? runNow(owner, request) : traceLoop(owner, owner.trace, request);
}

/** A state's structure with plain tensors in it. */
type Carried<T> = T extends Tensor ? Tensor : { readonly [Key in keyof T]: Carried<T[Key]> };

interface Request {
  readonly count: number;
  readonly body: (...inputs: unknown[]) => unknown;
  readonly initial: unknown;
  readonly states: readonly StateLeaf[];
}

interface StateLeaf {
  /** Where in the state it is: `state.velocity[0]`. */
  readonly path: string;
  readonly tensor: Tensor;
}

function check(count: number, body: unknown, initial: unknown): void {
  if (!Number.isInteger(count) || count < 0) {
    throw new ValueError('repeat', `count is ${count}; it must be a whole number, at least 0.`);
  }
  if (typeof body !== 'function') {
    throw new ValueError('repeat', `the body is ${describe(body)}, not a function.`, {
      mend: 'write repeat(count, body, initial).',
    });
  }
  if (count === 0 && initial === undefined) {
    throw new ValueError('repeat', 'count is 0 and there is no initial state: nothing could be returned.', {
      mend: 'give an initial state, or at least one iteration.',
    });
  }
}

/** Outside a compiled function: a step of its own, once. */
function runNow(owner: Engine, request: Request): unknown {
  const trace = new Trace();
  owner.trace = trace;
  let result: unknown;
  try {
    result = traceLoop(owner, trace, request);
  } finally {
    owner.trace = undefined;
  }
  owner.compute([...outsideOf(trace, [])].filter((tensor) => !isLeaf(tensor)));
  const step = new Step<unknown>(owner, 'repeat', trace, [], '', result);
  try {
    const handles = flattenTree([step.execute([], 0)]).values;
    let next = 0;
    return mapTree(result, (leaf) => {
      const handle = handles[next++] as Tensor;
      return leaf instanceof Tensor && leaf.source?.kind === 'repeated' ? ownCopy(owner, handle, leaf) : leaf;
    });
  } finally {
    step.dispose();
  }
}

/** The value of a step's output, in memory of its own. */
function ownCopy(owner: Engine, handle: Tensor, { inputs }: Tensor): Tensor {
  const from = owner.heap.materialise(handle);
  const bytes = bytesOf(handle, owner.device);
  const storage = owner.heap.allocate(bytes, 'tensors', 'repeat');
  owner.heap.copy(from, storage, bytes);
  const copy = new Tensor(repeatOp, inputs, handle.shape, handle.dtype, undefined, { kind: 'stored' });
  owner.heap.attach(copy, storage);
  return copy;
}

function traceLoop(owner: Engine, outer: Trace, { count, body, initial, states }: Request): unknown {
  const trace = new Trace();
  const index = { value: 0 };
  const carried = states.map(
    ({ tensor: { shape, dtype } }) => new Tensor(stateOp, [], shape, dtype, undefined, { kind: 'carried' }),
  );
  let returned: unknown;
  owner.trace = trace;
  try {
    const current = scalar(() => index.value, 'i32');
    const state = initial === undefined ? [] : [rebuild(initial, carried)];
    returned = unbounded(() => body(...state, current));
  } finally {
    owner.trace = outer;
  }
  if (returned instanceof Promise) {
    throw new ValueError('repeat', 'the body returned a promise.', {
      mend: 'await nothing inside it: read values outside, after the step.',
    });
  }
  const outputs = initial === undefined ? computedIn(returned) : nextStates(states, returned);
  const results: Tensor[] = [];
  const loop: TracedLoop = {
    count,
    trace,
    index,
    initial: states.map(({ tensor }) => tensor),
    carried,
    outputs,
    results,
  };
  outer.add(loop);
  const reads = [...loop.initial, ...outsideOf(trace, outputs)];
  for (const { shape, dtype } of outputs) {
    results.push(unbounded(() => new Tensor(repeatOp, reads, shape, dtype, undefined, { kind: 'repeated' })));
  }
  if (initial !== undefined) return rebuild(initial, results);
  return mapTree(returned, (leaf) => results[outputs.indexOf(leaf as Tensor)] ?? leaf);
}

/** The tensors among a body's results that it computed; parameters and data of the host are handed back as they are. */
function computedIn(returned: unknown): Tensor[] {
  const computed = new Set<Tensor>();
  mapTree(returned, (leaf) => {
    if (!(leaf instanceof Tensor)) return leaf;
    const kind = leaf.source?.kind;
    const asItIs = kind === 'stored' || kind === 'host' || kind === 'placeholder' || kind === 'constant';
    if (!asItIs) computed.add(leaf);
    return leaf;
  });
  return [...computed];
}

/** The leaves of what a body returned, each like the state's. */
function nextStates(states: readonly StateLeaf[], returned: unknown): Tensor[] {
  const next = new Map(leavesOf('the next state', returned).map(({ path, tensor }) => [path, tensor]));
  const more = [...next.keys()].find((path) => !states.some((state) => state.path === path));
  const found = states.map(({ path, tensor }) => {
    const like = next.get(path);
    if (like === undefined) throw new ShapeError('repeat', `the next state has no ${path}.`, { mend: SAME });
    if (!sameShape(like.shape, tensor.shape)) {
      throw new ShapeError(
        'repeat',
        `the next ${path} is ${formatShape(like.shape)}, the state's ${formatShape(tensor.shape)}.`,
        { mend: SAME },
      );
    }
    if (like.dtype !== tensor.dtype) {
      throw new DtypeError('repeat', `the next ${path} is ${like.dtype}, the state's ${tensor.dtype}.`, { mend: SAME });
    }
    return like;
  });
  if (more !== undefined)
    throw new ShapeError('repeat', `the next state has ${more}, the state has not.`, { mend: SAME });
  return found;
}

const SAME = 'return the same structure, shapes and dtypes as the initial state.';

function leavesOf(what: string, tree: unknown): StateLeaf[] {
  const leaves: StateLeaf[] = [];
  const visit = (value: unknown, path: string) => {
    if (value instanceof Tensor) leaves.push({ path, tensor: value });
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, `${path}[${i}]`);
    else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
    } else {
      throw new DtypeError('repeat', `in ${what} ${path} is ${describe(value)}, not a Tensor.`, {
        mend: 'a state is a tensor, or arrays and plain objects of tensors: tensor(0), say.',
      });
    }
  };
  visit(tree, 'state');
  return leaves;
}

function describe(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? `a ${value.constructor.name}` : String(value);
}

function rebuild(tree: unknown, leaves: readonly Tensor[]): unknown {
  let next = 0;
  return mapTree(tree, () => leaves[next++]);
}
