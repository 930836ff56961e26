import longWgsl from '../../shaders/losses/rowHostLong.wgsl';
import shortWgsl from '../../shaders/losses/rowHostShort.wgsl';
import softWgsl from '../../shaders/losses/rowHostSoft.wgsl';
import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';
import type { WgslModule } from '../kernels/wgslModule.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';

export interface RowHostVariant extends Variant {
  readonly kernel: WgslModule;
  readonly overrides: Readonly<{ WORKGROUP_SIZE: number; LANES: number }>;
  readonly workgroups: readonly [number, number, number];
}

/** What a kind of row asks. @param what the loss, and which of value and gradient it gives. */
export type RowHostQuestion = (
  device: Device,
  what: string,
  rows: number,
  classes: number,
) => VariantQuestion<RowHostVariant>;

/** Logits that a lane of the short host holds (`ITEMS` in rowHostShort.wgsl). */
const ITEMS = 16;

/**
 * Which host kernel runs a row loss, and with how many lanes a row. Measured on the software adapter: a thread a
 * row, always the long host (memory held per thread is as dear as reading the row again), in small workgroups for
 * few rows; for one to three long rows 4 lanes each, since threads would leave lanes of a subgroup idle. For GPUs, not
 * measured: a lane for every four classes, at most 64.
 */
export const rowHostVariants: RowHostQuestion = ({ facts }, what, rows, classes) => {
  const host = (long: boolean, lanes: number) =>
    variant(facts.software, long ? longWgsl : shortWgsl, `${long ? 'long' : 'short'} rows`, lanes, rows);
  const fits = (lanes: number) => classes <= lanes * ITEMS;
  const wanted = lanesFor(classes);
  const usual = facts.software ? host(true, lanesOnCpu(rows, classes)) : host(!fits(wanted), wanted);
  const others = lanesToTry(facts.software, classes)
    .flatMap((lanes) => [host(true, lanes), ...(fits(lanes) ? [host(false, lanes)] : [])])
    .filter((one) => one.variant !== usual.variant);
  return question(what, rows, classes, [usual, ...others], host(true, 1));
};

/**
 * The same for rows of soft targets: one kernel for all lengths. It is not timed: on tuning's random numbers, targets of
 * both signs, its gradients cancel, and right variants differ by more than tuning allows.
 */
export const softRowHostVariants: RowHostQuestion = ({ facts }, what, rows, classes) => {
  const host = (lanes: number) => variant(facts.software, softWgsl, 'soft rows', lanes, rows);
  const usual = host(facts.software ? lanesOnCpu(rows, classes) : lanesFor(classes));
  const others = lanesToTry(facts.software, classes)
    .map(host)
    .filter((one) => one.variant !== usual.variant);
  return { ...question(what, rows, classes, [usual, ...others], host(1)), timed: 1 };
};

function lanesFor(classes: number): number {
  return Math.min(64, 2 ** Math.ceil(Math.log2(Math.max(1, classes / 4))));
}

function lanesOnCpu(rows: number, classes: number): number {
  return rows >= 4 || classes < 512 ? 1 : 4;
}

/** On a CPU the lanes of a workgroup share a core: many are never worth their barriers. */
function lanesToTry(software: boolean, classes: number): number[] {
  return (software ? [1, 4, 16] : [1, 4, 16, 64]).filter((lanes) => lanes < 2 * classes);
}

function variant(software: boolean, kernel: WgslModule, name: string, lanes: number, rows: number): RowHostVariant {
  const size = software ? Math.max(lanes, rowsPerWorkgroup(rows)) : 64;
  return {
    kernel,
    variant: `${name}, ${lanes === 1 ? 'a thread' : `${lanes} lanes`} each`,
    overrides: { WORKGROUP_SIZE: size, LANES: lanes },
    workgroups: foldGrid(Math.ceil(rows / (size / lanes))),
  };
}

function question(
  what: string,
  rows: number,
  classes: number,
  variants: readonly RowHostVariant[],
  reference: RowHostVariant,
): VariantQuestion<RowHostVariant> {
  const shapeClass = `${what} rows${bucket(rows)} classes${bucket(classes)}`;
  return { shapeClass, variants, timed: 5, reference, integersBelow: classes };
}
