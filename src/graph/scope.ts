import { engine } from './current.js';
import { Parameter } from './parameter.js';
import { Tensor } from './tensor.js';

let openScope: Set<Tensor> | undefined;

/** @internal A tensor has come to lie on the GPU. */
export function track(tensor: Tensor): void {
  if (!(tensor instanceof Parameter)) openScope?.add(tensor);
}

/** @internal What comes to lie on the GPU inside `make` is no scope's: a compiled step owns it. */
export function untracked<T>(make: () => T): T {
  const outer = openScope;
  openScope = undefined;
  try {
    return make();
  } finally {
    openScope = outer;
  }
}

/**
 * Frees every tensor that came to lie on the GPU inside `body`, but for those it returns (in arrays or
 * plain objects) and parameters.
 */
export async function scope<T>(body: () => T | Promise<T>): Promise<T> {
  const outer = openScope;
  const inner = new Set<Tensor>();
  openScope = inner;
  try {
    const result = await body();
    const kept = new Set<unknown>();
    collect(result, kept);
    for (const tensor of inner) {
      if (kept.has(tensor)) outer?.add(tensor);
      else tensor.dispose();
    }
    return result;
  } catch (error) {
    for (const tensor of inner) tensor.dispose();
    throw error;
  } finally {
    openScope = outer;
  }
}

function collect(value: unknown, into: Set<unknown>): void {
  if (value instanceof Tensor) into.add(value);
  else if (Array.isArray(value)) for (const item of value) collect(item, into);
  else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    for (const item of Object.values(value)) collect(item, into);
  }
}

/**
 * A copy in memory of its own: it outlives the step's output it was made from.
 */
export function keep(tensor: Tensor): Tensor {
  const owner = engine('keep');
  const from = owner.materialise(tensor);
  const storage = owner.allocate(4 * tensor.size, 'tensors', 'keep');
  owner.copy(from, storage, 4 * tensor.size);
  const kept = new Tensor(tensor.op, [], tensor.shape, tensor.dtype, undefined, { kind: 'stored' });
  owner.attach(kept, storage);
  return kept;
}
