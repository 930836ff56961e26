import type { Device } from '../device/device.js';
import { bucket, type Variant, type VariantQuestion } from '../kernels/variants.js';

interface ReduceVariant extends Variant {
  /** Invocations that share an output; 1: each has its own, and a workgroup has several. */
  readonly lanes: number;
  /** Of a reduction that can be cut: longer rows are, into so many items each, and the parts reduced in a second stage. */
  readonly chunk: number;
  /** By `columns.wgsl`, four outputs an invocation. Default false. */
  readonly columns?: boolean;
}

interface ReduceOptions {
  /** So many outputs keep the software adapter busy with a thread each. Default 16. */
  readonly enough?: number;
  /** Whether the op can be done in two stages. Default false. */
  readonly cut?: boolean;
  /** Whether neighbouring outputs' items lie side by side, and the op has a kernel for it. Default false. */
  readonly columns?: boolean;
}

/** One invocation goes through so many items at most, but where nothing else is known: a watchdog waits on GPUs. */
const SERIAL_LIMIT = 2 ** 16;
/** A workgroup takes so many items of a row. */
const CHUNK = 8192;
/** And an invocation, where longer rows are cut for many of them. */
const SERIAL_CHUNK = 1024;
/** So many give two cores sixteen each at least, a cache line of every row. Taller ones are cut into chunks, which round less. */
const MANY_COLUMNS = 64;
/** On a CPU the lanes of a workgroup share a core: many are never worth their barriers. */
const LANES = { software: [8, 64], gpu: [32, 64, 256] } as const;

/**
 * One thread an output, or a workgroup an output. On the software adapter a barrier costs more than a short row, and
 * lanes share a core, so few take a row, and what would take two stages goes by one thread a chunk; on GPUs (not
 * measured) a workgroup reads a row in one stroke.
 *
 * @param what the op and its dtype: `sum f32`.
 */
export function reduceVariants(
  { facts }: Device,
  what: string,
  outputs: number,
  count: number,
  { enough = 16, cut = false, columns = false }: ReduceOptions = {},
): VariantQuestion<ReduceVariant> {
  const serial = facts.software ? outputs >= enough || count < 512 : outputs >= 4096 || count < 128;
  const alone: ReduceVariant = { variant: 'serial', lanes: 1, chunk: Number.POSITIVE_INFINITY };
  const inColumns: ReduceVariant = { ...alone, variant: 'columns', columns: true };
  const inChunks: ReduceVariant = { variant: 'serial in chunks', lanes: 1, chunk: SERIAL_CHUNK };
  const usual = workgroup(facts.software ? 8 : 64);
  const others = LANES[facts.software ? 'software' : 'gpu']
    .filter((lanes) => lanes !== usual.lanes && lanes < 2 * count)
    .map(workgroup);
  const safe = serial || count <= SERIAL_LIMIT;
  const byColumns = columns && facts.software && outputs >= MANY_COLUMNS && count <= CHUNK ? [inColumns] : [];
  const cuts = cut && facts.software && count > CHUNK ? [inChunks] : [];
  // What is not offered to all of a class is a class of its own.
  const ways = `${byColumns.length > 0 ? ' columns' : ''}${safe ? '' : ' shared'}`;
  return {
    shapeClass: `${what} outputs${bucket(outputs)} count${bucket(count)}${ways}`,
    variants: [...byColumns, ...cuts, ...(serial ? [alone, usual] : [usual, ...(safe ? [alone] : [])]), ...others],
    reference: safe ? alone : usual,
  };
}

function workgroup(lanes: number): ReduceVariant {
  return { variant: `workgroup of ${lanes}`, lanes, chunk: CHUNK };
}
