import { engine } from './current.js';
import { Parameter } from './parameter.js';
import { Tensor } from './tensor.js';

/** What the scopes under way own, the one opened last at the end: it takes what comes to lie on the GPU. */
const open: Set<Tensor>[] = [];
let tracking = true;

/** @internal A tensor has come to lie on the GPU. */
export function track(tensor: Tensor): void {
  if (tracking && !(tensor instanceof Parameter)) open.at(-1)?.add(tensor);
}

/** @internal What comes to lie on the GPU inside `make` is no scope's: a compiled step owns it. */
export function untracked<T>(make: () => T): T {
  const before = tracking;
  tracking = false;
  try {
    return make();
  } finally {
    tracking = before;
  }
}

/**
 * Frees every tensor that came to lie on the GPU inside `body`, but for those it returns (in arrays or
 * plain objects) and parameters.
 *
 * Scopes nest. Of async ones that run side by side JavaScript cannot tell which is at work: what comes to lie on the
 * GPU belongs to the one opened last, and is gone when that ends, unless a scope returned it before.
 */
export async function scope<T>(body: () => T | Promise<T>): Promise<T> {
  const own = new Set<Tensor>();
  const returned = new Set<Tensor>();
  open.push(own);
  try {
    const result = await body();
    collect(result, returned);
    return result;
  } finally {
    const at = open.indexOf(own);
    open.splice(at, 1);
    const outer = open[at - 1];
    for (const tensor of returned) {
      // Opened later and open still, another scope may have taken it.
      const takers = [own, ...open.slice(at)].filter((taker) => taker.delete(tensor));
      if (takers.length > 0) outer?.add(tensor);
    }
    for (const tensor of own) tensor.dispose();
  }
}

function collect(value: unknown, into: Set<Tensor>): void {
  if (value instanceof Tensor) into.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, into);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) collect(item, into);
  }
}

/**
 * A copy in memory of its own: it outlives the step's output it was made from. It remembers nothing of how it was
 * computed: no gradient flows through it, and what it was made from can be collected.
 */
export function keep(tensor: Tensor): Tensor {
  const owner = engine('keep');
  const storage = owner.heap.copyOf(tensor, 'tensors', 'keep');
  const kept = new Tensor(tensor.op, [], tensor.shape, tensor.dtype, undefined, { kind: 'stored' });
  owner.heap.attach(kept, storage);
  return kept;
}
