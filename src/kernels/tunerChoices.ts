import { type Device, SUBGROUP_MATRIX } from '../device/device.js';
import { ValueError } from '../errors.js';
import { LIBRARY_VERSION } from './libraryVersion.js';

/** Which variant runs for which shape class: plain data, for a file, a checkpoint, a run's record. */
export interface TunerChoices {
  /** Version of the library: another one has other kernels. */
  readonly library: string;
  /** What the adapter calls itself, and those of its features that kernels use. */
  readonly adapter: string;
  /** By shape class, such as `matmul nn f32 m512 n512 k512`: the variant's name, such as `quad 32x16`. */
  readonly choices: Readonly<Record<string, string>>;
}

/** Whom choices belong to. */
export type TunerIdentity = Pick<TunerChoices, 'library' | 'adapter'>;

export function identityOf({ facts, features }: Device): TunerIdentity {
  const { vendor, architecture, device, description } = facts;
  const names = [...new Set([vendor, architecture, device, description])].filter((name) => name !== '');
  const used = ['subgroups', 'shader-f16', SUBGROUP_MATRIX].filter((name) => features.has(name));
  return { library: LIBRARY_VERSION, adapter: [...names, ...used.map((name) => `+${name}`)].join(' ') };
}

export function sameIdentity(a: TunerIdentity, b: TunerIdentity): boolean {
  return a.library === b.library && a.adapter === b.adapter;
}

/** @throws ValueError, as an error of `op`, for what is no record of choices. */
export function checkChoices(op: string, value: unknown): TunerChoices {
  const { library, adapter, choices } = (value ?? {}) as Partial<Record<keyof TunerChoices, unknown>>;
  const names = typeof choices === 'object' && choices !== null ? Object.values(choices) : [undefined];
  if (typeof library === 'string' && typeof adapter === 'string' && names.every((name) => typeof name === 'string')) {
    return value as TunerChoices;
  }
  throw new ValueError(
    op,
    'the kernel choices are not of the form { library, adapter, choices: { class: variant } }.',
    {
      mend: 'give what tunerChoices() returned.',
    },
  );
}
