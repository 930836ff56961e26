import { ShapeError, ValueError } from '../errors.js';

/**
 * The area under the ROC curve of one score: the part of all pairs of a positive and a negative example in which the
 * positive one has the higher score, ties counted half (the Mann-Whitney statistic). On the host: the scores are
 * sorted, pairs are counted exactly up to 2^52 of them.
 *
 * @param scores one an example, such as logits or probabilities; infinities are scores too.
 * @param positive of the same length: 1 (or true) or 0 each.
 * @returns NaN when there is no positive or no negative example, or a score is NaN.
 * @throws ShapeError when the lengths differ; ValueError for a label that is neither 0 nor 1.
 * @source Hanley, McNeil 1982.
 * @example metrics.areaUnderRoc(await scores.data(), labels)
 */
export function areaUnderRoc(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  if (scores.length !== positive.length) {
    throw new ShapeError(
      'metrics.areaUnderRoc',
      `there are ${scores.length} scores and ${positive.length} labels; they must be as many.`,
    );
  }
  const odd = Array.prototype.findIndex.call(positive, (one) => Number(one) !== 0 && Number(one) !== 1);
  if (odd >= 0) {
    throw new ValueError(
      'metrics.areaUnderRoc',
      `the label of example ${odd} is ${positive[odd]}; it must be 0 or 1.`,
      {
        mend: 'compare with the positive class: labels.map((label) => label === 1).',
      },
    );
  }
  const of = (wanted: boolean) =>
    Float64Array.from(scores)
      .filter((_, i) => Boolean(positive[i]) === wanted)
      .sort();
  const [above, below] = [of(true), of(false)];
  // Sorting puts NaN last.
  if (Number.isNaN(above.at(-1)) || Number.isNaN(below.at(-1))) return Number.NaN;
  let halves = 0;
  let lower = 0;
  let notHigher = 0;
  for (const score of above) {
    while (lower < below.length && (below[lower] ?? 0) < score) lower++;
    while (notHigher < below.length && (below[notHigher] ?? 0) <= score) notHigher++;
    halves += lower + notHigher;
  }
  return halves / (2 * above.length * below.length);
}
