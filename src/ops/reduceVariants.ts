import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';

interface ReduceVariant extends Variant {
  /** Invocations that share an output; 1: each has its own, and a workgroup has several. */
  readonly lanes: number;
}

/** One invocation goes through so many items at most, but where nothing else is known: a watchdog waits on GPUs. */
const SERIAL_LIMIT = 2 ** 16;
/** On a CPU the lanes of a workgroup share a core: many are never worth their barriers. */
const LANES = { software: [8, 64], gpu: [32, 64, 256] } as const;

/**
 * One thread an output, or a workgroup an output. On the software adapter a barrier costs more than a short row, and
 * lanes share a core, so few take a row; on GPUs (not measured) a workgroup reads a row in one stroke.
 *
 * @param what the op and its dtype: `sum f32`.
 * @param enough so many outputs keep the software adapter busy with a thread each.
 */
export function reduceVariants(
  { facts }: Device,
  what: string,
  outputs: number,
  count: number,
  enough = 16,
): VariantQuestion<ReduceVariant> {
  const serial = facts.software ? outputs >= enough || count < 512 : outputs >= 4096 || count < 128;
  const alone: ReduceVariant = { variant: 'serial', lanes: 1 };
  const usual = workgroup(facts.software ? 8 : 64);
  const others = LANES[facts.software ? 'software' : 'gpu']
    .filter((lanes) => lanes !== usual.lanes && lanes < 2 * count)
    .map(workgroup);
  const safe = serial || count <= SERIAL_LIMIT;
  return {
    shapeClass: `${what} outputs${bucket(outputs)} count${bucket(count)}`,
    variants: serial ? [alone, usual, ...others] : [usual, ...(safe ? [alone] : []), ...others],
    reference: safe ? alone : usual,
  };
}

function workgroup(lanes: number): ReduceVariant {
  return { variant: `workgroup of ${lanes}`, lanes };
}
