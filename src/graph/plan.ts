import type { Device } from '../device/device.js';
import type { Choose } from '../kernels/variants.js';
import { DispatchBuilder, type PlannedDispatch, type UniformBlock } from './dispatch.js';
import type { Effect } from './effect.js';
import { bytesOf } from './encoding.js';
import { Fusion, type FusionOptions, type Group } from './fusion.js';
import { Ir, isLeaf, isLinear, type Operand, type Value } from './ir.js';
import { assignSlots } from './liveness.js';
import type { BufferRange } from './lowering.js';
import { orderGroups } from './order.js';
import { Sinks } from './sinks.js';
import type { Tensor } from './tensor.js';
import type { AskedQuestion } from './trial.js';

/** Where a stored value lies. */
export type Location =
  | { readonly kind: 'leaf'; readonly index: number }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'range'; readonly range: BufferRange };

export interface Plan {
  readonly dispatches: readonly PlannedDispatch[];
  readonly blocks: readonly UniformBlock[];
  readonly locations: ReadonlyMap<Value, Location>;
  /** Bytes of each temporary buffer. */
  readonly slots: readonly number[];
  /** The value of each output. */
  readonly outputs: readonly Value[];
  /** Copies once the pass has ended: assignments. */
  readonly copies: readonly { readonly from: Value /** The leaf. */; readonly to: number }[];
  readonly groups: readonly Group[];
  /** What its kernels asked about variants. */
  readonly questions: readonly AskedQuestion[];
}

export interface PlanRequest {
  readonly outputs: readonly Tensor[];
  readonly effects: readonly Effect[];
  readonly fusion: FusionOptions;
  /** Keep every computed value (anomaly mode). */
  readonly keepAll?: boolean;
  readonly choose: Choose;
}

/** Turns a graph into dispatches, buffers and uniforms. Does no GPU work. */
export function buildPlan(device: Device, request: PlanRequest): Plan {
  const ir = new Ir();
  const pinned = new Set<Value>();
  const locations = new Map<Value, Location>();

  const outputs = request.outputs.map((tensor) => {
    const operand = ir.operand(tensor);
    const own = isLinear(operand) && !isLeaf(operand.value.tensor);
    const { value } = own ? operand : ir.copy(operand);
    pinned.add(value);
    return value;
  });
  const copies: { from: Value; to: number }[] = [];
  const placed = new Map<Value, BufferRange>();
  const requests = request.effects.map((effect) => {
    const values = effect.inputs.map((tensor, i) => {
      const operand = ir.operand(tensor);
      const range = effect.placements[i];
      const value = placeInput(ir, operand, range, placed, outputs);
      pinned.add(value);
      const target = effect.targets?.[i]?.source;
      if (target?.kind === 'leaf') copies.push({ from: value, to: target.index });
      return value;
    });
    return { effect, values };
  });

  const fusion = new Fusion(ir, pinned, request.fusion);
  const sinks = new Sinks(ir, fusion, pinned, request.fusion.enabled ? requests : []);
  for (const value of sinks.of.keys()) placed.delete(value);
  unplaceConflicts(fusion, placed, ir);
  const groups = orderGroups(fusion, sinks.before);
  const builder = new DispatchBuilder(device, ir, fusion, sinks.of, request.choose);
  for (const group of groups) builder.group(group);
  for (const effect of request.effects) {
    for (const lowering of effect.lower?.(device, sinks.takenOf(effect)) ?? []) builder.effect(lowering, effect.key);
  }

  for (const value of ir.values) {
    const { source } = value.tensor;
    if (source?.kind === 'leaf') locations.set(value, { kind: 'leaf', index: source.index });
  }
  outputs.forEach((value, index) => {
    if (!locations.has(value)) locations.set(value, { kind: 'output', index });
  });
  for (const [value, range] of placed) locations.set(value, { kind: 'range', range });
  const held = new Set(copies.map(({ from }) => from));
  for (const { values } of requests) for (const value of values) held.add(value);
  const bytes = ({ tensor }: Value) => bytesOf(tensor, device);
  const slots = assignSlots(builder.dispatches, locations, held, request.keepAll === true, bytes, builder.scratch);

  return {
    dispatches: builder.dispatches,
    blocks: builder.blocks,
    locations,
    slots,
    outputs,
    copies,
    groups,
    questions: builder.questions,
  };
}

/**
 * The value that an effect reads, computed straight into its place where possible. It is copied when it
 * is a leaf, a strided view, virtual, an output, or already has another place.
 */
function placeInput(
  ir: Ir,
  operand: Operand,
  range: BufferRange | undefined,
  placed: Map<Value, BufferRange>,
  outputs: readonly Value[],
): Value {
  const { value } = operand;
  const direct =
    isLinear(operand) &&
    !isLeaf(value.tensor) &&
    !value.virtual &&
    (range === undefined || (!placed.has(value) && !outputs.includes(value)));
  const chosen = direct ? value : ir.copy(operand).value;
  if (range !== undefined) placed.set(chosen, range);
  return chosen;
}

/**
 * A dispatch must not read one part of a buffer while it writes another. A value placed in an arena and
 * read by a group that writes to the same arena would do that: then the writing group's result moves.
 */
function unplaceConflicts(fusion: Fusion, placed: Map<Value, BufferRange>, ir: Ir): void {
  for (const [value, range] of [...placed]) {
    const conflict = fusion.consumersOf(value).some((consumer) => {
      const group = fusion.groupOf.get(consumer);
      if (group === undefined || group === fusion.groupOf.get(value)) return false;
      return [...group.members, ...group.anchors].some((one) => placed.get(one)?.buffer === range.buffer);
    });
    if (!conflict) continue;
    placed.delete(value);
    value.forced = true;
    const { value: copy } = ir.copy({ value, view: ir.operand(value.tensor).view });
    placed.set(copy, range);
    fusion.addCopy(copy);
  }
}
