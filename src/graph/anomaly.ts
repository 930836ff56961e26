import type { Device } from '../device/device.js';
import { AnomalyError, type CotangentError, formatShape } from '../errors.js';
import { isFloat } from './dtype.js';
import { bytesOf, decode } from './encoding.js';
import { type Bindings, locate } from './executable.js';
import type { Plan } from './plan.js';
import type { Tensor } from './tensor.js';

/**
 * Reads back everything an unfused run computed and names the first op whose output holds a NaN or
 * infinity although none of its inputs does.
 */
export async function findAnomaly(
  device: Device,
  plan: Plan,
  bindings: Bindings,
  origins: ReadonlyMap<Tensor, Tensor>,
): Promise<CotangentError | undefined> {
  const values = plan.dispatches.flatMap(({ writes }) => writes);
  const reads = values.map(async (value) => {
    const { dtype, size } = value.tensor;
    if (!isFloat(dtype) || size === 0) return undefined;
    const range = locate(plan, value, bindings);
    const bytes = await device.readback.read(range.buffer, range.offset, bytesOf(value.tensor, device));
    const data = decode(dtype, bytes, size, device);
    const index = data.findIndex((element) => !Number.isFinite(element));
    return index < 0 ? undefined : { value, index, element: data[index] };
  });
  for (const found of await Promise.all(reads)) {
    if (found === undefined) continue;
    const { tensor } = found.value;
    const { callSite } = origins.get(tensor) ?? tensor;
    return new AnomalyError(
      tensor.op.name,
      `element ${found.index} of its output ${formatShape(tensor.shape)} is ${found.element}.`,
      { callSite, mend: 'this is the first op that made one; look at its inputs.' },
    );
  }
  return undefined;
}
