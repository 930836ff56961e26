import { formatShape } from '../errors.js';
import type { PlannedDispatch } from './dispatch.js';
import type { Value } from './ir.js';
import type { Plan } from './plan.js';
import type { Loop, Program } from './program.js';

interface Totals {
  readonly dispatches: number;
  readonly assignments: number;
  readonly bytes: number;
  readonly flops: number;
}

/** A step as a table in words: each dispatch with its kernel, shapes, bytes, flops and buffers; a repeat as one. */
export function describeProgram(program: Program, name: string, temporaries: readonly number[]): string {
  const bytes = temporaries.reduce((sum, slot) => sum + slot, 0);
  const head = `${name}: ${describeTotals(totalsOf(program))}, ${temporaries.length} temporaries of ${format(bytes)}B`;
  return [head, ...describeParts(program, { next: 0 }, '')].join('\n');
}

function describeParts(program: Program, number: { next: number }, indent: string): string[] {
  return program.parts.flatMap(({ plan }, i) => {
    const lines = plan.dispatches.flatMap((dispatch) => describeDispatch(plan, dispatch, number.next++).split('\n'));
    const loop = program.loops[i];
    const own = lines.map((line) => indent + line);
    return loop === undefined ? own : [...own, ...describeLoop(loop, number, indent)];
  });
}

function describeLoop({ count, body, states }: Loop, number: { next: number }, indent: string): string[] {
  const carried = states.length === 0 ? '' : `, ${states.length} carried`;
  const head = `${indent}     repeat ${count} times: ${describeTotals(totalsOf(body))}${carried}`;
  return [head, ...describeParts(body, number, `${indent}  `), `${indent}     end of repeat`];
}

/** Of one run, repeats by their count. */
function totalsOf({ parts, loops }: Program): Totals {
  const own = parts.map(({ plan: { dispatches, copies } }) => ({
    dispatches: dispatches.length,
    assignments: copies.length,
    bytes: dispatches.reduce((sum, dispatch) => sum + dispatch.bytes, 0),
    flops: dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0),
  }));
  return loops
    .map(({ count, body }) => scale(totalsOf(body), count))
    .concat(own)
    .reduce(plus);
}

function scale({ dispatches, assignments, bytes, flops }: Totals, by: number): Totals {
  return { dispatches: dispatches * by, assignments: assignments * by, bytes: bytes * by, flops: flops * by };
}

function plus(a: Totals, b: Totals): Totals {
  return {
    dispatches: a.dispatches + b.dispatches,
    assignments: a.assignments + b.assignments,
    bytes: a.bytes + b.bytes,
    flops: a.flops + b.flops,
  };
}

function describeTotals({ dispatches, assignments, bytes, flops }: Totals): string {
  return `${dispatches} dispatches, ${assignments} assignments, ${format(bytes)}B moved, ${format(flops)}flop`;
}

function describeDispatch(plan: Plan, dispatch: PlannedDispatch, index: number): string {
  const origin = dispatch.origin === undefined ? '' : `, ${dispatch.origin}`;
  const variant = dispatch.variant === undefined ? '' : ` (${dispatch.variant}${origin})`;
  const read = dispatch.reads.map((value) => describeValue(plan, value)).join(', ');
  const written = dispatch.writes.map((value) => describeValue(plan, value)).join(', ');
  const ranges = dispatch.sources.filter(({ kind }) => kind === 'range').length;
  const lines = [
    `${String(index).padStart(3)}  ${dispatch.label}${variant}  grid ${dispatch.workgroups.join('x')}  ` +
      `${format(dispatch.bytes)}B  ${format(dispatch.flops)}flop`,
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

function format(value: number): string {
  const [unit, scale] = value >= 1e9 ? ['G', 1e9] : value >= 1e6 ? ['M', 1e6] : value >= 1e3 ? ['k', 1e3] : ['', 1];
  return `${Number((value / Number(scale)).toPrecision(3))} ${unit}`;
}
