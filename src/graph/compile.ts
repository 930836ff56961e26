import { checkCounts, checkNames, ValueError } from '../errors.js';
import { checkTuneOptions, type TuneOptions } from '../kernels/tuner.js';
import { type Input, inputSpec, toTensor } from './compiledInput.js';
import { engine } from './current.js';
import type { Engine } from './engine.js';
import type { SourceOp } from './op.js';
import type { Program } from './program.js';
import type { DispatchTimer } from './recorder.js';
import { isHostArray } from './source.js';
import { Step } from './step.js';
import { Tensor, unbounded } from './tensor.js';
import { Trace } from './trace.js';
import { flattenTree, type Leaves, mapTree } from './tree.js';

export interface CompiledFunction<Arguments extends readonly unknown[], Result> {
  (...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): Result;
  /** Steps done so far. */
  readonly count: number;
  /**
   * Traces and compiles for inputs like these, without running: pipelines compile in parallel. A last argument
   * `{ tune }` takes the place of the engine's: 'now' times the variants of the kernels first. A step that has
   * run keeps its kernels.
   */
  prepare(...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): Promise<void>;
  prepare(...inputs: [...{ [I in keyof Arguments]: Input<Arguments[I]> }, PrepareOptions]): Promise<void>;
  /** Resolves when every step so far is done; rejects with what the GPU reported. */
  ready(): Promise<void>;
  /** The plan in words: each dispatch with its kernel, shapes, bytes, flops and buffers. */
  explain(...inputs: { [I in keyof Arguments]: Input<Arguments[I]> }): string;
  /** Frees its buffers. Outputs not read yet are lost. */
  dispose(): void;
}

/** With `tune` named, so that no input is taken for it. */
export type PrepareOptions = TuneOptions & Required<Pick<TuneOptions, 'tune'>>;

export interface CompileOptions {
  /** Names it in errors. Default: the function's name, or 'step'. */
  readonly name?: string;
  /** Plans kept, one for each signature of inputs. Default 16. */
  readonly maximumPlans?: number;
}

const placeholderOp: SourceOp = { name: 'input', kind: 'source' };

/**
 * Records a function of tensors once for each signature of its inputs (shapes, dtypes, the modes of the
 * layers it calls), and replays it afterwards: one pass and one submit a call, nothing allocated, nothing
 * read back. Parameters and tensors are captured by reference; JavaScript numbers are baked in (use
 * `scalar` for one that changes).
 *
 * Called inside another compiled function, it becomes part of that one.
 */
export function compile<Result>(
  body: (...inputs: Tensor[]) => Result,
  options?: CompileOptions,
): CompiledFunction<Tensor[], Result>;
export function compile<Arguments extends readonly unknown[], Result>(
  body: (...inputs: Arguments) => Result,
  options?: CompileOptions,
): CompiledFunction<Arguments, Result>;
export function compile<Result>(
  body: (...inputs: never[]) => Result,
  options: CompileOptions = {},
): CompiledFunction<never[], Result> {
  if (typeof body !== 'function') {
    throw new ValueError('compile', `it takes a function, not ${body === null ? 'null' : typeof body}.`);
  }
  const compiled = new Compiled(body as (...inputs: unknown[]) => Result, options);
  const call = (...inputs: unknown[]) => compiled.call(inputs);
  compiledFunctions.set(call, compiled);
  Object.defineProperty(call, 'count', { get: () => compiled.count });
  return Object.assign(call, {
    prepare: (...inputs: unknown[]) => compiled.prepare(inputs),
    ready: () => compiled.ready(),
    explain: (...inputs: unknown[]) => compiled.explain(inputs),
    dispose: () => compiled.dispose(),
  }) as unknown as CompiledFunction<never[], Result>;
}

const compiledFunctions = new WeakMap<object, Compiled<unknown>>();

/** @internal What stands behind a function that `compile` made; undefined for any other. */
export function compiledBehind(step: object): Compiled<unknown> | undefined {
  return compiledFunctions.get(step);
}

class Compiled<Result> {
  count = 0;
  readonly #body: (...inputs: unknown[]) => Result;
  readonly name: string;
  readonly #maximumPlans: number;
  #steps: Step<Result>[] = [];
  #evicted = 0;
  #disposed = false;

  constructor(body: (...inputs: unknown[]) => Result, options: CompileOptions) {
    checkOptions(options);
    this.#body = body;
    this.name = options.name ?? (body.name || 'step');
    this.#maximumPlans = options.maximumPlans ?? 16;
  }

  /** @param timer times the dispatches of this execution, each in a pass of its own. */
  call(inputs: readonly unknown[], timer?: DispatchTimer): Result {
    const owner = engine(this.name);
    if (owner.trace !== undefined) return this.#body(...inputs.map((input) => mapTree(input, toTensor)));
    const leaves = flattenTree(inputs);
    const step = this.#step(owner, inputs, leaves);
    const result = step.execute(leaves.values, this.count, timer);
    this.count++;
    return result;
  }

  async prepare(given: readonly unknown[]): Promise<void> {
    const owner = engine(this.name);
    const { inputs, options } = withoutOptions(this.name, given);
    const tuning = checkTuneOptions(this.name, options, owner.tuner.options);
    let step = this.#step(owner, inputs, flattenTree(inputs));
    const stale = await step.tune(tuning);
    const at = this.#steps.indexOf(step);
    // It may have been disposed of meanwhile.
    if (stale && at >= 0) {
      step = step.remade(tuning.tune);
      this.#steps[at] = step;
    }
    await step.prepare();
  }

  async ready(): Promise<void> {
    const owner = engine(this.name);
    for (const step of this.#steps) await step.report();
    await owner.ready();
  }

  /** What it runs for inputs like these. */
  program(inputs: readonly unknown[]): Program {
    return this.#step(engine(this.name), inputs, flattenTree(inputs)).program;
  }

  explain(inputs: readonly unknown[]): string {
    const step = this.#step(engine(this.name), inputs, flattenTree(inputs));
    return step.explain();
  }

  dispose(): void {
    for (const step of this.#steps) step.dispose();
    this.#steps = [];
    this.#disposed = true;
  }

  /** The plan for inputs like these; the last one used stands first. */
  #step(owner: Engine, inputs: readonly unknown[], leaves: Leaves): Step<Result> {
    if (this.#disposed) {
      throw new ValueError(this.name, 'the compiled function was disposed of.', { mend: 'compile it again.' });
    }
    owner.device.assertAlive(this.name);
    const found = this.#find(owner, leaves);
    if (found < 0) this.#dropFallen();
    const step = found < 0 ? this.#trace(owner, inputs, leaves) : (this.#steps[found] as Step<Result>);
    if (found !== 0) {
      if (found > 0) this.#steps.splice(found, 1);
      this.#steps.unshift(step);
      if (this.#steps.length > this.#maximumPlans) {
        this.#steps.pop()?.dispose();
        if (++this.#evicted === 8) {
          console.warn(
            `${this.name}: inputs of ever new shapes: ${this.#evicted} plans were thrown away. ` +
              'Pad batches to a few sizes, or raise maximumPlans.',
          );
        }
      }
    }
    return step;
  }

  #find(owner: Engine, leaves: Leaves): number {
    for (let i = 0; i < this.#steps.length; i++) if (this.#steps[i]?.fits(owner, leaves) === true) return i;
    return -1;
  }

  /** Steps whose optimizer has moved or gone never run again. */
  #dropFallen(): void {
    for (const step of this.#steps) if (!step.stands()) step.dispose();
    this.#steps = this.#steps.filter((step) => step.stands());
  }

  #trace(owner: Engine, inputs: readonly unknown[], leaves: Leaves): Step<Result> {
    const trace = new Trace();
    const specs = leaves.values.map((value) => inputSpec(this.name, value));
    const placeholders = specs.map(
      ({ shape, dtype }, index) =>
        new Tensor(placeholderOp, [], shape, dtype, undefined, { kind: 'placeholder', index }),
    );
    let next = 0;
    const given = inputs.map((input) => mapTree(input, () => placeholders[next++] as Tensor));
    owner.trace = trace;
    let result: Result;
    try {
      result = unbounded(() => this.#body(...given));
    } finally {
      owner.trace = undefined;
    }
    if (result instanceof Promise) {
      throw new ValueError(this.name, 'the compiled function returned a promise.', {
        mend: 'await nothing inside it: read values outside, after the step.',
      });
    }
    mapTree(result, (leaf) => checkReturned(this.name, leaf));
    return new Step(owner, this.name, trace, specs, leaves.structure, result);
  }
}

/** The options that `prepare` may be given last: an object whose `tune` is a text, which no input is. */
function withoutOptions(
  name: string,
  given: readonly unknown[],
): { readonly inputs: readonly unknown[]; readonly options: TuneOptions } {
  const last = given.at(-1) as TuneOptions | null | undefined;
  if (typeof last?.tune !== 'string') return { inputs: given, options: {} };
  checkNames(`${name}.prepare`, last, ['tune', 'tuningBudgetMs']);
  return { inputs: given.slice(0, -1), options: last };
}

function checkOptions(options: CompileOptions): void {
  checkNames('compile', options, ['name', 'maximumPlans']);
  const { maximumPlans = 1 } = options;
  checkCounts('compile', { maximumPlans });
}

/** A step hands its result back with tensors replaced; what they hide in (an instance, a Map) it could not make anew. */
function checkReturned(name: string, leaf: unknown): void {
  if (typeof leaf !== 'object' || leaf === null) return;
  if (leaf instanceof Tensor || ArrayBuffer.isView(leaf) || isHostArray(leaf)) return;
  throw new ValueError(
    name,
    `it returned a ${leaf.constructor?.name ?? 'object'}, whose tensors a step cannot give their values.`,
    { mend: 'return tensors in arrays and plain objects.' },
  );
}

/** What `compile` would make of a function, in words, without running it. */
export function explain(body: (...inputs: never[]) => unknown, ...inputs: readonly unknown[]): string {
  const compiled = new Compiled(body as (...inputs: unknown[]) => unknown, {});
  try {
    return compiled.explain(inputs);
  } finally {
    compiled.dispose();
  }
}
