import type { Profile } from '../src/index.js';
import type { HandGpu } from './peers/byHand/handGpu.js';
import type { JaxJs } from './peers/jaxJs.js';
import type { TensorFlow } from './peers/tfjs.js';

/** What each peer's contenders are written with. */
export interface Libraries {
  /** This engine without what the case is about: the logits stored, a loop's steps one by one. */
  readonly plain: null;
  /** No library: raw WebGPU calls with our kernels. */
  readonly 'by-hand': HandGpu;
  readonly 'jax-js': JaxJs;
  readonly tfjs: TensorFlow;
}

export type PeerName = keyof Libraries;
export type EngineName = 'cotangent' | PeerName;

/** In the order of the table's columns. */
export const PEERS: readonly PeerName[] = ['plain', 'by-hand', 'jax-js', 'tfjs'];

/** One engine at one case, with everything on the GPU. */
export interface Contender {
  /** Submits one repetition and does not wait. */
  run(): void;
  /** Resolves when every repetition so far is done on the GPU, known by a small readback. */
  settle(): Promise<void>;
  /** What the repetitions so far computed, by name, read back whole. */
  results(): Promise<Results>;
  /** The plan of a repetition, in words, where the engine can say it. */
  explain?(): string;
  /** Where the time of a repetition goes, where the engine can say it; it does some repetitions. */
  profile?(): Promise<Profile>;
  /** Dispatches of a repetition, where the engine can say it. */
  dispatches?(): number;
  /** GPU memory by the engine's own counters, in bytes: now, and the most so far. */
  memory?(): Promise<Memory>;
  /** Frees what it holds. */
  dispose(): void;
}

export interface Memory {
  readonly held: number;
  readonly peak: number;
  /** Of what is held now, what plans keep for themselves while they run. */
  readonly temporaries?: number;
}

export type Results = Readonly<Record<string, ArrayLike<number>>>;

/** A value known in float64: all of it, or only where `at` says. */
export interface Expected {
  readonly values: ArrayLike<number>;
  /** Which elements of the result `values` are. Default: all, in order. */
  readonly at?: ArrayLike<number>;
}

/** How far a result may be from the reference, and two engines from each other (twice as far). */
export interface Tolerance {
  /** No element may be off by more. */
  readonly largest: number;
  /** Nor the root of the mean square. */
  readonly rootMeanSquare?: number;
  /** Where the numbers come from: one phrase. */
  readonly why: string;
}

export type Unit = 'ms' | 'us' | 'bytes';

/** What is sampled of a contender where it is not the time of its repetitions. */
export interface Figure {
  readonly unit: Unit;
  /** One sample. */
  readonly of: (contender: Contender) => Promise<number>;
}

export type Peers<Inputs> = {
  readonly [P in PeerName]?: (library: Libraries[P], inputs: Inputs) => Promise<Contender>;
};

/** What a case's file says: inputs, ours, the peers, and what the work is worth. */
export interface CaseDeclaration<Inputs> {
  readonly name: string;
  /** Of one repetition. */
  readonly flops?: number;
  /** That one repetition cannot help moving, of one repetition. */
  readonly bytes?: number;
  /** Default: the time of a repetition, in ms. */
  readonly figure?: Figure;
  /** Repetitions between two waits. Default: as many as fill a sample. */
  readonly settleEvery?: number;
  /** Repetitions before results are compared. Default 1. */
  readonly repetitionsToCheck?: number;
  /** Takes long: `--quick` leaves it out unless it is asked for by its whole name. Default false. */
  readonly large?: boolean;
  /** Whether a further repetition gives the same results, so that they can be compared after timing too. */
  readonly repeatable: boolean;
  /** The same for the same seed. */
  inputs(seed: number): Inputs;
  /** The results after `repetitionsToCheck`, in float64. */
  reference(inputs: Inputs): Readonly<Record<string, Expected>>;
  tolerance(result: string): Tolerance;
  ours(inputs: Inputs): Promise<Contender>;
  readonly peers: Peers<Inputs>;
}

/** A case whose kind of inputs only its own file knows. */
export interface Case {
  readonly name: string;
  readonly flops: number | undefined;
  readonly bytes: number | undefined;
  readonly figure: Figure | undefined;
  readonly settleEvery: number | undefined;
  readonly repetitionsToCheck: number;
  readonly large: boolean;
  readonly repeatable: boolean;
  readonly peers: readonly PeerName[];
  tolerance(result: string): Tolerance;
  /** The inputs of a seed, with what should come of them and who can compute it. */
  pose(seed: number): Posed;
}

export interface Posed {
  reference(): Readonly<Record<string, Expected>>;
  ours(): Promise<Contender>;
  peer<P extends PeerName>(name: P, library: Libraries[P]): Promise<Contender>;
}

export function defineCase<Inputs>(declaration: CaseDeclaration<Inputs>): Case {
  const {
    name,
    flops,
    bytes,
    figure,
    settleEvery,
    repetitionsToCheck = 1,
    large = false,
    repeatable,
    peers,
  } = declaration;
  return {
    name,
    flops,
    bytes,
    figure,
    settleEvery,
    repetitionsToCheck,
    large,
    repeatable,
    peers: PEERS.filter((peer) => peers[peer] !== undefined),
    tolerance: (result) => declaration.tolerance(result),
    pose: (seed) => {
      const inputs = declaration.inputs(seed);
      return {
        reference: () => declaration.reference(inputs),
        ours: () => declaration.ours(inputs),
        peer: (peer, library) =>
          peers[peer]?.(library, inputs) ?? Promise.reject(new Error(`${name} has no contender for ${peer}.`)),
      };
    },
  };
}
