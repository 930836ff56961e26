import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';
import { foldGrid, rowsPerWorkgroup } from '../kernels/workgroups.js';

interface RowHostVariant extends Variant {
  readonly long: boolean;
  readonly overrides: Readonly<{ WORKGROUP_SIZE: number; LANES: number }>;
  readonly workgroups: readonly [number, number, number];
}

/** Logits that a lane of the short host holds (`ITEMS` in rowHostShort.wgsl). */
const ITEMS = 16;

/**
 * Which host kernel runs a row loss, and with how many lanes a row. Measured on the software adapter: a thread a
 * row, always the long host (memory held per thread is as dear as reading the row again), in small workgroups for
 * few rows; for one to three long rows 4 lanes each, since threads would leave lanes of a subgroup idle. For GPUs, not measured: a lane for every four classes, at most 64.
 *
 * @param what the loss, and which of value and gradient it gives.
 */
export function rowHostVariants(
  { facts }: Device,
  what: string,
  rows: number,
  classes: number,
): VariantQuestion<RowHostVariant> {
  const host = (long: boolean, lanes: number): RowHostVariant => {
    const size = facts.software ? Math.max(lanes, rowsPerWorkgroup(rows)) : 64;
    return {
      long,
      variant: `${long ? 'long' : 'short'} rows, ${lanes === 1 ? 'a thread' : `${lanes} lanes`} each`,
      overrides: { WORKGROUP_SIZE: size, LANES: lanes },
      workgroups: foldGrid(Math.ceil(rows / (size / lanes))),
    };
  };
  const fits = (lanes: number) => classes <= lanes * ITEMS;
  const wanted = Math.min(64, 2 ** Math.ceil(Math.log2(Math.max(1, classes / 4))));
  const onCpu = rows >= 4 || classes < 512 ? 1 : 4;
  const usual = facts.software ? host(true, onCpu) : host(!fits(wanted), wanted);
  // On a CPU the lanes of a workgroup share a core: many are never worth their barriers.
  const others = (facts.software ? [1, 4, 16] : [1, 4, 16, 64])
    .filter((lanes) => lanes < 2 * classes)
    .flatMap((lanes) => [host(true, lanes), ...(fits(lanes) ? [host(false, lanes)] : [])])
    .filter(({ variant }) => variant !== usual.variant);
  return {
    shapeClass: `${what} rows${bucket(rows)} classes${bucket(classes)}`,
    variants: [usual, ...others],
    timed: 5,
    reference: host(true, 1),
    integersBelow: classes,
  };
}
