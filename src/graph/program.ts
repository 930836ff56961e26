import type { TuneOptions } from '../kernels/tuner.js';
import { type Cut, cut, isGiven } from './cut.js';
import { bytesOf } from './encoding.js';
import type { Engine } from './engine.js';
import { type Bindings, Executable, locate } from './executable.js';
import type { BufferRange } from './lowering.js';
import type { Plan } from './plan.js';
import type { Recorder } from './recorder.js';
import { type Skeleton, skeletonOf } from './skeleton.js';
import type { Storage } from './storage.js';
import type { Temporaries } from './temporaries.js';
import type { Tensor } from './tensor.js';
import type { Trace, TracedLoop } from './trace.js';

/** Runs of one plan between two submits, at most: its uniform buffer has room for no more. */
const MOST_TURNS = 256;

/** What all parts of a step share. */
export interface Surroundings {
  readonly engine: Engine;
  readonly name: string;
  readonly temporaries: Temporaries;
  /** Where a leaf lies now. */
  readonly leaf: (tensor: Tensor) => BufferRange;
  /** Which kernels its plans take. */
  readonly tune: Required<TuneOptions>['tune'];
}

/** A trace made ready to run: plans, and repeats between them. */
export class Program {
  readonly parts: readonly Part[];
  /** Loop i runs between parts i and i + 1. */
  readonly loops: readonly Loop[];
  /** Milliseconds of one run, as the engine's workload assumes. */
  readonly assumed: number;
  readonly #places = new Map<Tensor, Storage>();
  /** Tensors that lie where it has put them. */
  readonly #placed: Tensor[] = [];

  /** @param runs how often it runs in one step. */
  constructor(surroundings: Surroundings, { trace, wanted, loops: bodies }: Cut, runs = 1) {
    const parts: Part[] = [];
    const loops: Loop[] = [];
    trace.parts.forEach(({ advance }, i) => {
      const last = i === trace.parts.length - 1;
      const hooks = [...advance, ...(last ? trace.effects.flatMap((effect) => effect.advance ?? []) : [])];
      const part = new Part(surroundings, wanted[i] ?? [], last ? trace.effects : [], hooks, runs);
      parts.push(part);
      part.outputs.forEach((tensor, k) => {
        const place = part.place(k);
        this.#places.set(tensor, place);
        // It lies in a buffer by the time that later parts and repeats run: for them it is a leaf.
        if (last || tensor.source !== undefined) return;
        tensor.storage = place;
        this.#placed.push(tensor);
      });
      const loop = trace.loops[i];
      const body = bodies[i];
      if (loop !== undefined && body !== undefined) loops.push(new Loop(surroundings, loop, body, this, runs));
    });
    this.parts = parts;
    this.loops = loops;
    this.assumed = [...parts, ...loops].reduce((sum, { assumed }) => sum + assumed, 0);
  }

  /** Where a result lies once the program has run. */
  place(tensor: Tensor): Storage {
    const place = this.#places.get(tensor) ?? tensor.storage;
    if (place === undefined) throw new Error(`${tensor} has no place in the program`);
    return place;
  }

  /** Its own parts and those inside repeats, in the order of a run. */
  get allParts(): Part[] {
    return this.parts.flatMap((part, i) => [part, ...(this.loops[i]?.body.allParts ?? [])]);
  }

  /** What all parts and repeats read that no part makes: each must lie somewhere before a run. */
  get allLeaves(): Tensor[] {
    const read = this.parts.flatMap(({ skeleton }) => skeleton.leaves);
    return [...read, ...this.loops.flatMap(({ body, initial }) => [...initial, ...body.allLeaves])];
  }

  /** All that it holds on the GPU. */
  get memory(): Pick<Storage, 'free'>[] {
    return [...this.parts, ...this.loops].flatMap((one) => one.memory);
  }

  run(recorder: Recorder): void {
    for (let i = 0; i < this.parts.length; i++) {
      this.parts[i]?.run(recorder);
      this.loops[i]?.run(recorder);
    }
  }

  free(): void {
    for (const one of this.memory) one.free();
    this.#forget();
  }

  /** The trace may be made ready anew. */
  #forget(): void {
    for (const tensor of this.#placed) tensor.storage = undefined;
    for (const { body } of this.loops) body.#forget();
  }
}

/** A plan with its buffers, that runs as one. */
export class Part {
  readonly plan: Plan;
  readonly skeleton: Skeleton;
  readonly executable: Executable;
  readonly outputs: readonly Tensor[];
  readonly bindings: Bindings;
  readonly assumed: number;
  readonly #hooks: readonly (() => void)[];
  readonly #results: readonly Storage[];
  #groups: GPUBindGroup[] = [];

  constructor(
    { engine, name, temporaries, leaf, tune }: Surroundings,
    outputs: readonly Tensor[],
    effects: Trace['effects'],
    hooks: readonly (() => void)[],
    runs: number,
  ) {
    this.outputs = outputs;
    this.#hooks = hooks;
    const skeleton = skeletonOf(outputs, effects);
    this.skeleton = skeleton;
    this.plan = engine.planFor(skeleton, tune);
    this.executable = new Executable(engine.device, this.plan, {
      room: Math.min(runs, MOST_TURNS),
      moves: (index) => skeleton.leaves[index]?.source?.kind === 'scalar',
    });
    this.assumed = engine.pacing.workload.assume(this.plan);
    this.#results = outputs.map((tensor) =>
      engine.heap.allocate(bytesOf(tensor, engine.device), 'outputs', `${name} output`),
    );
    const first = temporaries.reserve(this.plan.slots);
    this.bindings = {
      leaf: (index) => leaf(skeleton.leaves[index] as Tensor),
      output: (index) => this.#results[index] as Storage,
      slot: (index) => temporaries.at(first + index),
    };
  }

  /** Where an output lies: equal ones share a place. */
  place(index: number): Storage {
    const value = this.plan.outputs[index];
    const range = value === undefined ? undefined : locate(this.plan, value, this.bindings);
    return this.#results.find((storage) => storage === range) as Storage;
  }

  bind(): void {
    this.#groups = this.executable.bind(this.bindings);
  }

  run(recorder: Recorder): void {
    if (this.executable.isFull) recorder.submit();
    this.executable.writeTurn(this.skeleton.leaves);
    // Its numbers are of the state before, and none of them was refused: host state may move on.
    for (let i = 0; i < this.#hooks.length; i++) this.#hooks[i]?.();
    if (recorder.timer !== undefined) this.executable.encodeTimed(recorder, recorder.timer, this.#groups);
    else if (this.#groups.length > 0) this.executable.encode(recorder.pass, this.#groups);
    this.executable.encodeCopies(recorder, this.bindings);
    recorder.gather(this.assumed);
  }

  get memory(): Pick<Storage, 'free'>[] {
    const { uniforms } = this.executable;
    return uniforms === undefined ? [...this.#results] : [...this.#results, uniforms];
  }
}

/** A repeat: its body runs `count` times, and what is carried is copied over between. */
export class Loop {
  readonly count: number;
  readonly body: Program;
  readonly assumed: number;
  readonly #index: { value: number };
  readonly #leaf: Surroundings['leaf'];
  readonly #outer: Program;
  readonly initial: readonly Tensor[];
  readonly states: readonly Storage[];
  readonly #next: readonly Storage[];

  constructor(surroundings: Surroundings, loop: TracedLoop, body: Cut, outer: Program, runs: number) {
    const { engine, name, leaf } = surroundings;
    this.count = loop.count;
    this.#index = loop.index;
    this.#leaf = leaf;
    this.#outer = outer;
    this.initial = loop.initial;
    this.states = loop.carried.map((tensor) => {
      const storage = engine.heap.allocate(bytesOf(tensor, engine.device), 'temporaries', `${name} carried`);
      tensor.storage = storage;
      return storage;
    });
    this.body = new Program(surroundings, body, runs * loop.count);
    const outputs = loop.outputs.map((tensor) => this.body.place(tensor));
    this.#next = this.states.map((_, i) => outputs[i] as Storage);
    loop.results.forEach((tensor, i) => {
      tensor.storage = this.states[i] ?? outputs[i];
    });
    this.assumed = loop.count * this.body.assumed;
  }

  run(recorder: Recorder): void {
    const states = this.states;
    for (let i = 0; i < states.length; i++) {
      const tensor = this.initial[i] as Tensor;
      const from = isGiven(tensor) ? this.#leaf(tensor) : this.#outer.place(tensor);
      recorder.copy(from, (states[i] as Storage).buffer, 0, (states[i] as Storage).bytes);
    }
    const flat = this.body.loops.length === 0;
    for (let iteration = 0; iteration < this.count; iteration++) {
      this.#index.value = iteration;
      if (flat) recorder.breathe(this.body.assumed);
      this.body.run(recorder);
      // All at once: a next state that is another's former one (a swap) was copied by the plan.
      for (let i = 0; i < states.length; i++) {
        const { buffer, bytes } = states[i] as Storage;
        recorder.copy(this.#next[i] as Storage, buffer, 0, bytes);
      }
    }
  }

  get memory(): Pick<Storage, 'free'>[] {
    return [...this.states, ...this.body.memory];
  }
}

/** The program of a whole trace. */
export function programOf(surroundings: Surroundings, trace: Trace, outputs: readonly Tensor[]): Program {
  return new Program(surroundings, cut(surroundings.name, trace, outputs));
}
