import { isHostArray } from './source.js';
import { Tensor } from './tensor.js';

/** The leaves of nested arrays and plain objects, in order, with a description of what holds them. */
export interface Leaves {
  readonly values: unknown[];
  readonly structure: string;
}

/** Tensors, typed arrays, numbers and `{ data, shape }` are leaves; arrays and plain objects hold them. */
export function flattenTree(tree: readonly unknown[]): Leaves {
  // The usual call, leaves alone, is compared by their number: no string is built on the hot path.
  if (tree.every(isInput)) return { values: tree as unknown[], structure: FLAT[tree.length] ?? flat(tree.length) };
  const values: unknown[] = [];
  const structure = describe(tree, values);
  return { values, structure };
}

const FLAT = Array.from({ length: 9 }, (_, length) => flat(length));

function flat(length: number): string {
  return `[${'*,'.repeat(length)}]`;
}

function describe(value: unknown, into: unknown[]): string {
  if (Array.isArray(value)) return `[${value.map((item) => `${describe(item, into)},`).join('')}]`;
  if (isPlainObject(value) && !isHostArray(value)) {
    const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${describe(item, into)},`);
    return `{${fields.join('')}}`;
  }
  into.push(value);
  return '*';
}

function isInput(value: unknown): boolean {
  return typeof value === 'number' || value instanceof Tensor || ArrayBuffer.isView(value) || isHostArray(value);
}

/** The same nesting with each leaf replaced. */
export function mapTree(tree: unknown, replace: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(tree)) return tree.map((item) => mapTree(item, replace));
  if (isPlainObject(tree) && !isHostArray(tree)) {
    return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTree(item, replace)]));
  }
  return replace(tree);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
