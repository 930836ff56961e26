import { type Device, SUBGROUP_MATRIX, type SubgroupMatrix } from '../../device/device.js';
import { type Element, elementAliases, type MatmulShape } from './shape.js';
import type { MatmulVariant } from './variants.js';

/**
 * Products by `subgroupMatrix.wgsl`, one variant for each size that the adapter offers for these operands: f16 of two f16
 * operands, which loses nothing; else f32, which widens any. They add in the adapter's own order, so that only a tuner
 * chooses them. A product of f32 by f16, as in a backward pass, has none where the adapter multiplies f16 alone; nor has
 * any where subgroups are of several sizes, for the kernel shares out its matrices before it knows how long one is.
 */
export function subgroupMatrices(
  device: Pick<Device, 'features' | 'facts' | 'limits'>,
  shape: MatmulShape,
): MatmulVariant[] {
  const { subgroupMinSize: lanes, subgroupMaxSize, subgroupMatrices: offered } = device.facts;
  if (!device.features.has(SUBGROUP_MATRIX) || lanes === undefined || lanes !== subgroupMaxSize) return [];
  const of = (component: Element) =>
    offered
      .filter(({ componentType, resultComponentType: sum }) => componentType === component && sum === 'f32')
      .filter((matrix) => fits(device.limits, matrix, component, lanes))
      .map((matrix) => variantOf(shape, matrix, component, lanes));
  const narrow = shape.aElement === 'f16' && shape.bElement === 'f16' ? of('f16') : [];
  return narrow.length > 0 ? narrow : of('f32');
}

function fits(limits: GPUSupportedLimits, { M, N, K }: SubgroupMatrix, component: Element, lanes: number): boolean {
  const bytes = (component === 'f16' ? 2 : 4) * 2 * K * (8 * M + 4 * N) + 4 * 4 * M * N;
  const invocations = 4 * lanes;
  return (
    bytes <= limits.maxComputeWorkgroupStorageSize &&
    invocations <= limits.maxComputeInvocationsPerWorkgroup &&
    // An invocation adds up one column of b's block.
    invocations >= 4 * N
  );
}

function variantOf(shape: MatmulShape, { M, N, K }: SubgroupMatrix, component: Element, lanes: number): MatmulVariant {
  const { rows, columns, batches, aTransposed, bTransposed } = shape;
  return {
    kernel: 'subgroupMatrix',
    variant: `subgroup matrix ${M}x${N}x${K}`,
    overrides: {
      WORKGROUP_SIZE: 4 * lanes,
      A_TRANSPOSED: Number(aTransposed),
      B_TRANSPOSED: Number(bTransposed),
    },
    replace: {
      ...elementAliases(shape),
      M: `const M = ${M}u;`,
      N: `const N = ${N}u;`,
      K: `const K = ${K}u;`,
      Component: `alias Component = ${component};`,
    },
    workgroups: [Math.ceil(columns / (4 * N)), Math.ceil(rows / (8 * M)), batches],
  };
}
