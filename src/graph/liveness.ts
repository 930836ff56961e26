import type { PlannedDispatch } from './dispatch.js';
import type { Value } from './ir.js';
import type { Location } from './plan.js';

/**
 * Gives each stored value that has no place yet a temporary buffer, reusing one as soon as its value has
 * been read for the last time. A dispatch's results never share a buffer with what it reads.
 *
 * @param held values that must live to the end of the pass.
 * @param bytesOf of a value in a buffer.
 * @param scratch bytes of scratch buffers, which are never shared; they come after the others.
 * @returns the bytes of each buffer.
 */
export function assignSlots(
  dispatches: readonly PlannedDispatch[],
  locations: Map<Value, Location>,
  held: ReadonlySet<Value>,
  keepAll: boolean,
  bytesOf: (value: Value) => number,
  scratch: readonly number[],
): number[] {
  const slots: number[] = [...scratch];
  const lastRead = new Map<Value, number>();
  dispatches.forEach(({ reads }, i) => {
    for (const value of reads) lastRead.set(value, i);
  });
  const free: number[] = [];
  const take = (bytes: number): number => {
    let best: number | undefined;
    for (const slot of free) {
      const size = slots[slot] ?? 0;
      const bestSize = best === undefined ? undefined : (slots[best] ?? 0);
      // The smallest that fits, else the largest (which grows): both keep the sum of bytes low.
      const better =
        bestSize === undefined ||
        (size >= bytes ? bestSize < bytes || size < bestSize : bestSize < bytes && size > bestSize);
      if (better) best = slot;
    }
    if (best === undefined) return slots.push(bytes) - 1;
    free.splice(free.indexOf(best), 1);
    slots[best] = Math.max(slots[best] ?? 0, bytes);
    return best;
  };
  dispatches.forEach(({ reads, writes }, i) => {
    for (const value of reads) {
      // Of no elements: no dispatch wrote it, yet a kernel binds it. A buffer of its own meets no other binding.
      if (locations.has(value)) continue;
      if (value.tensor.size > 0) throw new Error(`${value.tensor} is read but never written`);
      locations.set(value, { kind: 'slot', slot: slots.push(4) - 1 });
    }
    for (const value of writes) {
      if (!locations.has(value)) locations.set(value, { kind: 'slot', slot: take(bytesOf(value)) });
    }
    if (keepAll) return;
    for (const value of new Set([...reads, ...writes])) {
      const location = locations.get(value);
      if (location?.kind !== 'slot' || held.has(value)) continue;
      if ((lastRead.get(value) ?? i) <= i) free.push(location.slot);
    }
  });
  return slots;
}
