import type { JaxJs } from './peers/jaxJs.js';
import type { TensorFlow } from './peers/tfjs.js';

export type PeerName = 'jax-js' | 'tfjs';
export type EngineName = 'cotangent' | PeerName;

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
  /** Frees what it holds. */
  dispose(): void;
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

/** What a case's file says: inputs, ours, the peers, and what the work is worth. */
export interface CaseDeclaration<Inputs> {
  readonly name: string;
  /** Of one repetition. */
  readonly flops?: number;
  /** That one repetition cannot help moving, of one repetition. */
  readonly bytes?: number;
  /** Repetitions before results are compared. Default 1. */
  readonly repetitionsToCheck?: number;
  /** Whether a further repetition gives the same results, so that they can be compared after timing too. */
  readonly repeatable: boolean;
  /** The same for the same seed. */
  inputs(seed: number): Inputs;
  /** The results after `repetitionsToCheck`, in float64. */
  reference(inputs: Inputs): Readonly<Record<string, Expected>>;
  tolerance(result: string): Tolerance;
  ours(inputs: Inputs): Promise<Contender>;
  readonly peers: {
    readonly 'jax-js'?: (jax: JaxJs, inputs: Inputs) => Promise<Contender>;
    readonly tfjs?: (tf: TensorFlow, inputs: Inputs) => Promise<Contender>;
  };
}

/** A case whose kind of inputs only its own file knows. */
export interface Case {
  readonly name: string;
  readonly flops: number | undefined;
  readonly bytes: number | undefined;
  readonly repetitionsToCheck: number;
  readonly repeatable: boolean;
  readonly peers: readonly PeerName[];
  tolerance(result: string): Tolerance;
  /** The inputs of a seed, with what should come of them and who can compute it. */
  pose(seed: number): Posed;
}

export interface Posed {
  reference(): Readonly<Record<string, Expected>>;
  ours(): Promise<Contender>;
  jaxJs(jax: JaxJs): Promise<Contender>;
  tfjs(tf: TensorFlow): Promise<Contender>;
}

export function defineCase<Inputs>(declaration: CaseDeclaration<Inputs>): Case {
  const { name, flops, bytes, repetitionsToCheck = 1, repeatable, peers } = declaration;
  const missing = (peer: PeerName) => Promise.reject(new Error(`${name} has no contender for ${peer}.`));
  return {
    name,
    flops,
    bytes,
    repetitionsToCheck,
    repeatable,
    peers: (Object.keys(peers) as PeerName[]).filter((peer) => peers[peer] !== undefined),
    tolerance: (result) => declaration.tolerance(result),
    pose: (seed) => {
      const inputs = declaration.inputs(seed);
      return {
        reference: () => declaration.reference(inputs),
        ours: () => declaration.ours(inputs),
        jaxJs: (jax) => peers['jax-js']?.(jax, inputs) ?? missing('jax-js'),
        tfjs: (tf) => peers.tfjs?.(tf, inputs) ?? missing('tfjs'),
      };
    },
  };
}
