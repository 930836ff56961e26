/**
 * The one hierarchy of errors, and the one formatter of their messages:
 *
 *     ShapeError: matmul: inner sizes differ: a is [128, 784], b is [10, 784] (784 against 10).
 *       at train.ts:41:18
 *       Mend: multiply by the transpose: matmul(a, transpose(b)).
 *
 * The first line names the op and says what is wrong, the second is the user's own line, the third the mend.
 */

export interface ErrorDetails {
  /** What the user can do about it, one sentence. */
  readonly mend?: string;
  /** The user's call, when it was recorded earlier than now (a traced op that failed on the GPU). */
  readonly callSite?: string | undefined;
  readonly cause?: unknown;
}

export class CotangentError extends Error {
  /** The op or function that complains. */
  readonly op: string;
  /** The complaint alone, without op, call site and mend. */
  readonly sentence: string;
  readonly mend: string | undefined;
  readonly callSite: string | undefined;

  constructor(op: string, sentence: string, details: ErrorDetails = {}) {
    const callSite = details.callSite ?? findCallSite();
    const lines = [op === '' ? sentence : `${op}: ${sentence}`];
    if (callSite !== undefined) lines.push(`  at ${callSite}`);
    if (details.mend !== undefined) lines.push(`  Mend: ${details.mend}`);
    super(lines.join('\n'), details.cause === undefined ? undefined : { cause: details.cause });
    this.op = op;
    this.sentence = sentence;
    this.mend = details.mend;
    this.callSite = callSite;
  }
}

/** Shapes that do not fit each other or the op. */
export class ShapeError extends CotangentError {
  override readonly name: string = 'ShapeError';
}
/** A dtype that the op does not take. */
export class DtypeError extends CotangentError {
  override readonly name: string = 'DtypeError';
}
/** An option, number, label, file or call order that is not allowed. */
export class ValueError extends CotangentError {
  override readonly name: string = 'ValueError';
}
/** A path without a derivative, or a gradient asked of something that has none. */
export class GradientError extends CotangentError {
  override readonly name: string = 'GradientError';
}
/** WGSL that does not compile, bindings that disagree, a dispatch the GPU refused. */
export class KernelError extends CotangentError {
  override readonly name: string = 'KernelError';
}
/** WebGPU is missing: no `navigator.gpu`, no adapter, or an insecure page. */
export class NoWebGPUError extends CotangentError {
  override readonly name: string = 'NoWebGPUError';
}
/** A buffer that the device could not give, or that is larger than its limits. */
export class OutOfMemoryError extends CotangentError {
  override readonly name: string = 'OutOfMemoryError';
}
/** The device was lost; tensors on it are gone. */
export class DeviceLostError extends CotangentError {
  override readonly name: string = 'DeviceLostError';
}
/** A compiled step's output that a later step has overwritten. */
export class StaleTensorError extends CotangentError {
  override readonly name: string = 'StaleTensorError';
}
/** A tensor, buffer or engine that was freed. */
export class FreedError extends CotangentError {
  override readonly name: string = 'FreedError';
}
/** NaN or infinity found in anomaly mode. */
export class AnomalyError extends CotangentError {
  override readonly name: string = 'AnomalyError';
}

/** Folder of this file: frames inside it are the library's own. */
const LIBRARY = import.meta.url.replace(/[^/]*$/, '');

/** The first stack frame outside the library, as `file.ts:line:column`; undefined when there is none. */
export function findCallSite(): string | undefined {
  const stack = new Error().stack;
  if (stack === undefined) return undefined;
  for (const line of stack.split('\n')) {
    const frame = /\(?((?:[a-z-]+:\/\/|\/)[^()]*?):(\d+):(\d+)\)?$/.exec(line.trim());
    if (frame === null) continue;
    const [, file = '', row, column] = frame;
    // Frames of Node and of packages (a bundler's module runner) are nobody's own line.
    if (/^node:|\/node_modules\//.test(file) || line.includes('(node:')) continue;
    if (file.startsWith(LIBRARY) || `file://${file}`.startsWith(LIBRARY)) continue;
    const name = file
      .replace(/[?#].*$/, '')
      .split('/')
      .at(-1);
    return `${name}:${row}:${column}`;
  }
  return undefined;
}

/** `[128, 784]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

/** `. Did you mean 'focal'?` when a known name is near, else the list of known names. */
export function suggest(given: string, known: readonly string[]): string {
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(given.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best === undefined ? `known are: ${known.join(', ')}` : `Did you mean '${best}'?`;
}

/** Refuses an option that nobody reads. */
export function checkNames(op: string, options: object, known: readonly string[]): void {
  const name = Object.keys(options).find((one) => !known.includes(one));
  if (name !== undefined) throw new ValueError(op, `unknown option '${name}'. ${suggest(name, known)}`);
}

/** Refuses numbers, by their names, that are no integers of at least 1. */
export function checkCounts(op: string, counts: Readonly<Record<string, number>>, mend?: string): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 1) continue;
    const details = mend === undefined ? {} : { mend };
    throw new ValueError(op, `${name} is ${String(count)}; it must be an integer of at least 1.`, details);
  }
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
