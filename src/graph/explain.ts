import { formatShape } from '../errors.js';
import type { PlannedDispatch } from './dispatch.js';
import type { Value } from './ir.js';
import type { Plan } from './plan.js';

/** A plan as a table in words: each dispatch with its kernel, shapes, bytes, flops and buffers. */
export function describePlan(plan: Plan, name: string): string {
  const lines = plan.dispatches.map((dispatch, i) => describeDispatch(plan, dispatch, i));
  const bytes = plan.dispatches.reduce((sum, dispatch) => sum + bytesOf(dispatch), 0);
  const flops = plan.dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  const temporaries = plan.slots.reduce((sum, slot) => sum + slot, 0);
  const head =
    `${name}: ${plan.dispatches.length} dispatches, ${plan.copies.length} assignments, ` +
    `${format(bytes)}B moved, ${format(flops)}flop, ${plan.slots.length} temporaries of ${format(temporaries)}B`;
  return [head, ...lines].join('\n');
}

function describeDispatch(plan: Plan, dispatch: PlannedDispatch, index: number): string {
  const variant = dispatch.variant === undefined ? '' : ` (${dispatch.variant})`;
  const read = dispatch.reads.map((value) => describeValue(plan, value)).join(', ');
  const written = dispatch.writes.map((value) => describeValue(plan, value)).join(', ');
  const ranges = dispatch.sources.filter(({ kind }) => kind === 'range').length;
  const lines = [
    `${String(index).padStart(3)}  ${dispatch.label}${variant}  grid ${dispatch.workgroups.join('x')}  ` +
      `${format(bytesOf(dispatch))}B  ${format(dispatch.flops)}flop`,
    `       reads ${read || 'nothing'}${ranges > 0 ? `, ${ranges} arenas` : ''}; writes ${written || 'in place'}`,
  ];
  for (const refusal of dispatch.refusals) lines.push(`       not fused: ${refusal}`);
  return lines.join('\n');
}

function describeValue(plan: Plan, value: Value): string {
  const { tensor } = value;
  const location = plan.locations.get(value);
  const at =
    location?.kind === 'slot'
      ? `#${location.slot}`
      : location?.kind === 'leaf'
        ? `leaf ${location.index}`
        : location?.kind;
  return `${tensor.dtype}${formatShape(tensor.shape)} ${at}`;
}

function bytesOf(dispatch: PlannedDispatch): number {
  const values = [...dispatch.reads, ...dispatch.writes].reduce((sum, { tensor }) => sum + 4 * tensor.size, 0);
  return dispatch.sources.reduce((sum, source, i) => {
    if (source.kind !== 'range') return sum;
    return sum + source.touched * (dispatch.signature[i] === 'read_write' ? 2 : 1);
  }, values);
}

function format(value: number): string {
  const [unit, scale] = value >= 1e9 ? ['G', 1e9] : value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((value / Number(scale)).toPrecision(3))} ${unit}`;
}
