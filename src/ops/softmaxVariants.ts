import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';
import { rowsPerWorkgroup } from '../kernels/workgroups.js';

interface SoftmaxVariant extends Variant {
  /** One thread a row, else a workgroup a row. */
  readonly serial: boolean;
  /** Workgroups before folding. */
  readonly groups: number;
  readonly workgroupSize: number;
}

/**
 * One thread a row where threads are lanes of a CPU (measured there: a barrier costs more than a row of a
 * hundred), or rows are short; else a workgroup a row, and on a CPU for one to three long rows, whose threads would
 * leave lanes of a subgroup idle.
 */
export function softmaxVariants(
  { facts }: Device,
  what: string,
  rows: number,
  columns: number,
): VariantQuestion<SoftmaxVariant> {
  const size = rowsPerWorkgroup(rows);
  const serial = { variant: 'serial', serial: true, groups: Math.ceil(rows / size), workgroupSize: size };
  const [few, usual, many] = [8, 64, 256].map((workgroupSize) => ({
    variant: `workgroup of ${workgroupSize}`,
    serial: false,
    groups: rows,
    workgroupSize,
  })) as [SoftmaxVariant, SoftmaxVariant, SoftmaxVariant];
  const alone = rows >= 4 || columns < 512;
  const onCpu = alone ? [serial, few] : [few, serial, usual];
  const onGpu = columns <= 32 ? [serial, usual] : [usual, serial, many];
  const variants = facts.software ? onCpu : onGpu;
  return { shapeClass: `${what} rows${bucket(rows)} columns${bucket(columns)}`, variants, reference: serial };
}
