import { GradientError } from '../errors.js';
import type { Tensor } from '../graph/tensor.js';
import { multiply } from '../ops/arithmetic.js';
import { equal, greaterEqual, less } from '../ops/comparison.js';
import { and, where } from '../ops/logical.js';
import { expandDims } from '../ops/shaping.js';
import { rowHostVariants } from './rowHost.js';
import { type RowLoss, type RowLossParts, rowLossOps } from './rowLoss.js';

/** The value of each row in public ops, for derivatives that the WGSL does not give. */
export type Definition = (logits: Tensor, labels: Tensor, parameters: Readonly<Record<string, Tensor>>) => Tensor;

/** Rows with labels: inputs are logits, labels `[rows]` (i32), parameters; the attribute `ignoreIndex` sets rows apart. */
export function labelRows(parts: RowLossParts, definition: Definition | undefined): RowLoss {
  const { name, parameters, wgsl } = parts;
  return rowLossOps(parts, {
    name: '',
    operands: ['labels'],
    variants: rowHostVariants,
    extents: (_, rows) => [rows],
    uniforms: ({ ignoreIndex }) => ({
      hasIgnoreIndex: Number(ignoreIndex !== undefined),
      ignoreIndex: Number(ignoreIndex ?? 0),
    }),
    replace: { SLOPED: `const SLOPED = ${isSloped(wgsl)};` },
    defined: (inputs, { ignoreIndex }, what) => {
      if (definition === undefined) {
        throw new GradientError(`losses.${name}`, `${what} needs its definition in public ops, and it has none.`, {
          mend: 'give defineLoss a definition: (logits, labels, parameters) => values of the rows.',
        });
      }
      const [logits, labels, ...given] = inputs as [Tensor, Tensor, ...Tensor[]];
      const named = Object.fromEntries(parameters.map((parameter, i) => [parameter, given[i] as Tensor]));
      const valuesOf = (scores: Tensor, at: Tensor) => {
        const isClass = and(greaterEqual(at, 0), less(at, logits.shape[1] ?? 0));
        const values = definition(scores, where(isClass, at, 0), named);
        // A factor rather than a choice: derivatives are NaN with the value.
        return multiply(values, where(isClass, 1, Number.NaN));
      };
      if (typeof ignoreIndex !== 'number') return valuesOf(logits, labels);
      // Zeros in an ignored row's place: whatever stood there (NaN, say) reaches no derivative.
      const ignored = equal(labels, ignoreIndex);
      return where(ignored, 0, valuesOf(where(expandDims(ignored, -1), 0, logits), where(ignored, 0, labels)));
    },
  });
}

/** Whether a loss's WGSL gives slope in gradient's place: the loss depends on the label's probability alone. */
export function isSloped({ declarations }: RowLossParts['wgsl']): boolean {
  return declarations.slope !== undefined && declarations.gradient === undefined;
}
