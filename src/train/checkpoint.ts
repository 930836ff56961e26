import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from '../data/safetensors.js';
import { formatShape, ValueError } from '../errors.js';
import { engine } from '../graph/current.js';
import type { DType, TypedArray } from '../graph/dtype.js';
import { packHalves, unpackHalves } from '../graph/half.js';
import type { Parameter } from '../graph/parameter.js';
import { sameShape } from '../graph/shape.js';
import { tensor } from '../graph/source.js';
import { checkChoices, type TunerChoices } from '../kernels/tunerChoices.js';
import type { Module } from '../nn/module.js';
import { defaultGenerator, type Generator } from '../ops/random.js';
import type { Optimizer } from '../optim/optimizer.js';

/** What a run is made of; whatever is given is saved, and loaded into place. */
export interface CheckpointParts {
  readonly model?: Module;
  readonly optimizer?: Optimizer;
  /** Default: the default generator (its count of draws; the seed is checked). */
  readonly generator?: Generator;
}

export interface CheckpointOptions {
  /** Where the data stands: `batches(...).position`. */
  readonly position?: { readonly epoch: number; readonly index: number };
  /** Anything JSON can hold: a run's options, a curve. */
  readonly extra?: unknown;
}

export interface LoadedCheckpoint {
  readonly position: { readonly epoch: number; readonly index: number } | undefined;
  readonly extra: unknown;
}

const FORMAT = 'cotangent-1';
/** Bools are 0 or 1, as in buffers. */
const FILE_DTYPES = { f32: 'F32', f16: 'F16', i32: 'I32', u32: 'U32', bool: 'U32' } as const;

/**
 * A run as safetensors: parameters, optimizer state and step count, the random counter, the data's position, and
 * which variants of the kernels ran.
 * A run resumed from it ends with the same bits as an unbroken one.
 *
 * @returns the file's bytes. Write them to a file beside and rename it, so that it is never half-written.
 */
export async function saveCheckpoint(
  { model, optimizer, generator = defaultGenerator() }: CheckpointParts,
  options: CheckpointOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const tensors: Record<string, SafetensorsTensor> = {};
  // All reads are asked for at once: they see one moment, and the GPU is waited for once.
  const pending: Promise<void>[] = [];
  const add = (name: string, shape: readonly number[], dtype: DType, read: Promise<TypedArray>) => {
    pending.push(
      read.then((data) => {
        tensors[name] = {
          shape,
          dtype: FILE_DTYPES[dtype],
          data: dtype === 'f16' ? packHalves(data as Float32Array) : data,
        };
      }),
    );
  };
  for (const [name, parameter] of model?.namedParameters() ?? []) {
    add(`model.${name}`, parameter.shape, parameter.dtype, parameter.data());
  }
  const state = optimizer?.state(model === undefined ? undefined : namesOf(model));
  for (const [name, { shape, read }] of state?.tensors ?? []) add(`optimizer.${name}`, shape, 'f32', read());
  const { seed, stream, step } = generator;
  const { device, tuner } = engine('saveCheckpoint');
  const metadata = {
    format: FORMAT,
    // The same bits need the same adapter and the same kernels.
    adapter: device.facts.name,
    tuner: JSON.stringify(tuner.record()),
    generator: JSON.stringify({ seed, stream, step }),
    ...(state === undefined ? {} : { optimizer: JSON.stringify({ name: state.name, step: state.step }) }),
    ...(options.position === undefined ? {} : { position: JSON.stringify(options.position) }),
    ...(options.extra === undefined ? {} : { extra: JSON.stringify(options.extra) }),
  };
  await Promise.all(pending);
  return encodeSafetensors(tensors, metadata);
}

function namesOf(model: Module): Map<Parameter, string> {
  return new Map([...model.namedParameters()].map(([name, parameter]) => [parameter, name]));
}

/**
 * Loads what `saveCheckpoint` wrote. Nothing changes unless everything fits. Steps that are prepared or called from
 * now on run the kernels that the saved run ran; those of another adapter or version are not taken, with a warning.
 * @throws ValueError naming the tensors that are missing, unexpected or of another shape, or what is wrong
 * with the file and where.
 */
export function loadCheckpoint(
  bytes: Uint8Array,
  { model, optimizer, generator = defaultGenerator() }: CheckpointParts,
  { name = 'checkpoint' }: { readonly name?: string } = {},
): LoadedCheckpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  const { format } = metadata;
  if (format !== FORMAT) {
    throw new ValueError(
      'loadCheckpoint',
      `${name} is no checkpoint of ours: its format is '${format ?? 'unset'}', not '${FORMAT}'.`,
    );
  }
  const position = wholeNumbers(name, metadata, 'position', { epoch: ANY, index: ANY });
  const extra = parse(name, metadata, 'extra');
  const drawn = wholeNumbers(name, metadata, 'generator', { seed: ANY, stream: U32, step: U32 });
  const updates = wholeNumbers(name, metadata, 'optimizer', { step: ANY });
  const choices = parse(name, metadata, 'tuner') as TunerChoices | undefined;
  if (choices !== undefined) checkChoices('loadCheckpoint', choices);
  const owner = engine('loadCheckpoint');
  const wanted = new Map<string, { shape: readonly number[]; dtype: DType; write: (data: TypedArray) => void }>();
  for (const [key, parameter] of model?.namedParameters() ?? []) {
    // After a lost device the values are gone: the parameters come to lie on the new one.
    owner.heap.adopt(parameter);
    const { shape, dtype } = parameter;
    wanted.set(`model.${key}`, { shape, dtype, write: (data) => parameter.assign(tensor(data, { shape, dtype })) });
  }
  const state = optimizer?.state(model === undefined ? undefined : namesOf(model));
  for (const [key, { shape, write }] of state?.tensors ?? []) {
    wanted.set(`optimizer.${key}`, { shape, dtype: 'f32', write: (data) => write(data as Float32Array) });
  }
  const complaints: string[] = [];
  for (const [key, { shape, dtype }] of wanted) {
    const found = tensors.get(key);
    if (found === undefined) complaints.push(`'${key}' ${formatShape(shape)} is missing`);
    else if (!sameShape(found.shape, shape))
      complaints.push(`'${key}' is ${formatShape(found.shape)}, expected ${formatShape(shape)}`);
    else if (found.dtype !== FILE_DTYPES[dtype])
      complaints.push(`'${key}' is ${found.dtype}, expected ${FILE_DTYPES[dtype]}`);
  }
  for (const key of tensors.keys()) {
    const ours = (key.startsWith('model.') && model) || (key.startsWith('optimizer.') && optimizer);
    if (ours && !wanted.has(key)) complaints.push(`'${key}' is unexpected`);
  }
  if (state !== undefined && updates === undefined) {
    complaints.push("the count of its optimizer's updates is missing");
  } else if (state !== undefined) {
    const { name: saved } = parse(name, metadata, 'optimizer') as { readonly name?: unknown };
    if (saved !== state.name) complaints.push(`its optimizer is '${saved}', not '${state.name}'`);
  }
  if (complaints.length > 0) {
    throw new ValueError('loadCheckpoint', `${name} does not fit: ${complaints.join('; ')}.`, {
      mend: 'build the same model and optimizer as the run that saved it.',
    });
  }
  for (const [key, { dtype, write }] of wanted) {
    const { data } = tensors.get(key) as SafetensorsTensor;
    write(dtype === 'f16' ? unpackHalves(data as Uint16Array) : (data as TypedArray));
  }
  if (updates !== undefined) state?.setStep(updates.step);
  if (drawn !== undefined) generator.restore(drawn);
  if (choices !== undefined) owner.tuner.take(choices, name);
  return { position, extra };
}

const ANY = Number.MAX_SAFE_INTEGER;
const U32 = 2 ** 32 - 1;

/** A record of whole numbers, each up to its `most`; undefined when the file has none. */
function wholeNumbers<Field extends string>(
  name: string,
  metadata: Readonly<Record<string, string>>,
  key: string,
  most: Readonly<Record<Field, number>>,
): Record<Field, number> | undefined {
  const record = parse(name, metadata, key);
  if (record === undefined) return undefined;
  const damaged = (what: string) =>
    new ValueError('loadCheckpoint', `${name}: its metadata '${key}' is damaged: ${what}.`);
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw damaged(`it is ${JSON.stringify(record)}, not an object`);
  }
  for (const [field, limit] of Object.entries<number>(most)) {
    const value = (record as Record<string, unknown>)[field];
    if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= limit) continue;
    throw damaged(`${field} is ${JSON.stringify(value)}; it must be an integer from 0 to ${limit}`);
  }
  return record as Record<Field, number>;
}

function parse(name: string, metadata: Readonly<Record<string, string>>, key: string): unknown {
  const text = metadata[key];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ValueError('loadCheckpoint', `${name}: its metadata '${key}' is no JSON.`, { cause });
  }
}
