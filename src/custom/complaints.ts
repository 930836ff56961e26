import type { Device } from '../device/device.js';
import { type CotangentError, ValueError } from '../errors.js';
import type { BufferRange } from '../graph/lowering.js';

/** Smallest and largest value allowed. */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
}

interface Range extends Limits {
  readonly name: string;
}

/** What a loss's node says of its complaints, among its attributes. */
export interface ComplaintAttributes {
  /** Whose name stands in the error: 'losses.crossEntropy'. */
  readonly op: string;
  readonly check: 'targets' | 'all' | 'none';
  /** What its targets are. */
  readonly targets: 'labels' | 'error' | 'normalise' | 'accept';
  /** Of a special case with a parameter of its own, from which the kernel's follow: its name and limits. */
  readonly own?: string;
  readonly min?: number;
  readonly max?: number;
}

interface RowComplaints {
  readonly ranges: Readonly<Record<string, BufferRange>>;
  readonly replace: Readonly<Record<string, string>>;
}

/** The words of rowHost.wgsl: WRONG_TARGET, PARAMETER, UNDEFINED. */
const WORDS = 3;

/** What a row kernel needs to complain: its words, and the ranges of its parameters. */
export function complaintsOf(
  device: Device,
  { op, check, targets, own, ...ownLimits }: ComplaintAttributes,
  classes: number,
  parameters: readonly string[],
  limits: Readonly<Record<string, Limits>>,
): RowComplaints {
  const ranges = parameters.map(
    (name): Range => (own === undefined ? { name, ...limits[name] } : { name: own, ...ownLimits }),
  );
  const key = `${op} ${classes} ${targets} ${JSON.stringify(ranges)}`;
  const error = (word: number, found: number): CotangentError => {
    if (word === 0) return wrongTarget(op, targets, found, classes);
    if (word === 1) return outOfRange(op, ranges[found] as Range);
    return new ValueError(op, `row ${found} of the logits holds NaN or Infinity.`, {
      mend: 'init({ anomaly: true }) names the op that made the first one.',
    });
  };
  const place = check === 'none' ? undefined : device.complaints.claim(key, WORDS, error);
  if (place === undefined) return { ranges: {}, replace: { complain: 'fn complain(word: u32, found: u32) {}' } };
  const tests = parameters.map((name, i) => rangeTest(name, i, limits[name] ?? {}));
  return {
    ranges: { complaints: place },
    replace: {
      COMPLAINS_OF_NAN: `const COMPLAINS_OF_NAN = ${check === 'all'};`,
      firstOutOfRange: `fn firstOutOfRange(parameters: Parameters) -> u32 {\n${tests.join('')}  return NO_PARAMETER;\n}`,
    },
  };
}

function rangeTest(name: string, index: number, { min, max }: Limits): string {
  const value = `parameters.${name}`;
  const sides = [
    ...(min === undefined ? [] : [`${value} < f32(${min})`]),
    ...(max === undefined ? [] : [`${value} > f32(${max})`]),
  ];
  if (sides.length === 0) return '';
  return `  if (isNan(${value}) || ${sides.join(' || ')}) { return ${index}u; }\n`;
}

function outOfRange(op: string, { name, min, max }: Range): ValueError {
  const sides = [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])];
  return new ValueError(op, `${name} was out of range on the GPU; it must be ${sides.join(' and ')}.`, {
    mend: `clamp the tensor or the scalar that gives ${name}.`,
  });
}

function wrongTarget(op: string, targets: ComplaintAttributes['targets'], row: number, classes: number): ValueError {
  if (targets === 'labels') {
    return new ValueError(op, `the label of row ${row} is not one of the ${classes} classes.`, {
      mend: `labels go from 0 to ${classes - 1}; ignoreIndex names one to leave out.`,
    });
  }
  if (targets === 'error') {
    return new ValueError(op, `the soft targets of row ${row} are not weights that sum to one.`, {
      mend: "pass targets: 'normalise' to divide them by their sum, or 'accept' to take them as they are.",
    });
  }
  return new ValueError(op, `the soft targets of row ${row} hold NaN or negative numbers, or sum to zero.`, {
    mend: 'look at where they are made.',
  });
}
