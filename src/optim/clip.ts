import normWgsl from '../../shaders/optim/norm.wgsl';
import { ValueError } from '../errors.js';
import type { Arena } from '../graph/arena.js';
import { type Lowering, lowering } from '../graph/lowering.js';

/** How gradients are held back. */
export interface Clip {
  /** Scales all gradients so that their norm together is at most this (Pascanu et al. 2013). */
  readonly globalNorm?: number;
  /** Holds each element to ± this. */
  readonly value?: number;
}

export function checkClip(op: string, clip: Clip | undefined): void {
  for (const [name, value] of Object.entries(clip ?? {})) {
    if (name !== 'globalNorm' && name !== 'value') {
      throw new ValueError(op, `clip has an unknown option '${name}'.`, { mend: 'use globalNorm or value.' });
    }
    if (!(Number(value) > 0)) throw new ValueError(op, `clip.${name} is ${value}; it must be above 0.`);
  }
}

/** Dispatches before the update (the norm's two stages), and what the update's own needs for clipping. */
export function clippingLowerings(
  clip: Clip | undefined,
  gradients: Arena,
): { readonly before: readonly Lowering[]; readonly update: Partial<Lowering> } {
  const uniforms = { clipValue: clip?.value ?? 0 };
  const maximum = clip?.globalNorm;
  if (maximum === undefined) return { before: [], update: { uniforms } };
  const itemsPerChunk = 4096;
  const parts = gradients.segments.map((segment) => Math.ceil(segment.bytes / 4 / itemsPerChunk));
  const all = parts.reduce((sum, count) => sum + count, 0);
  const partial = { key: 'partial', bytes: 8 * all };
  const result = { key: 'norm', bytes: 8 };
  let done = 0;
  const firsts = gradients.segments.map((segment, i): Lowering => {
    const chunks = parts[i] ?? 0;
    const first = done;
    done += chunks;
    return lowering({
      kernel: normWgsl,
      variant: 'norm, chunks',
      ranges: { gradients: segment },
      scratch: { norm: partial },
      uniforms: { count: segment.bytes / 4, chunks, itemsPerChunk, firstChunk: first, maximum },
      workgroups: [chunks, 1, 1],
    });
  });
  const last: Lowering = lowering({
    kernel: normWgsl,
    variant: 'norm',
    replace: { FINAL: 'const FINAL = true;' },
    scratch: { gradients: partial, norm: result },
    uniforms: { count: all, chunks: all, itemsPerChunk: all, firstChunk: 0, maximum },
    workgroups: [1, 1, 1],
  });
  return {
    before: [...firsts, last],
    update: {
      uniforms,
      replace: { gradientScale: 'fn gradientScale() -> f32 { return norm[1]; }' },
      extra: [{ name: 'norm', access: 'read', type: 'array<f32>' }],
      scratch: { norm: result },
    },
  };
}
