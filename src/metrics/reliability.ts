/** Confidences against how often they were right, in bins: on the host, in float64. */

/** The rows whose confidence lies in a bin. */
export interface ReliabilityBin {
  /** Its bounds: of equal widths, above `from` and up to `to`; of equal mass, the least and the largest confidence in it. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Mean confidence; NaN in an empty bin. */
  readonly confidence: number;
  /** Part of the rows that are right; NaN in an empty bin. */
  readonly accuracy: number;
}

export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /** The expected calibration error: the bins' |accuracy - confidence|, weighed by their parts of all rows. */
  readonly expected: number;
  /** The maximum calibration error: the largest |accuracy - confidence| of a bin. */
  readonly maximum: number;
  readonly examples: number;
}

export interface Binning {
  /** How many. */
  readonly bins: number;
  /** 'width': the confidences' range in equal parts; 'mass': as many rows in each. */
  readonly binning: 'width' | 'mass';
}

/** @param right 1 or 0 for each confidence, in `[0, 1]`. A confidence that is NaN lies in no bin, and makes the errors NaN. */
export function reliabilityOf(
  confidence: Float64Array,
  right: Float64Array,
  { bins: count, binning }: Binning,
): Reliability {
  const order = Uint32Array.from(confidence.keys())
    .filter((i) => !Number.isNaN(confidence[i]))
    .sort((a, b) => (confidence[a] ?? 0) - (confidence[b] ?? 0));
  const sorted = Float64Array.from(order, (i) => confidence[i] ?? 0);
  const hits = sharedAmongTies(
    sorted,
    Float64Array.from(order, (i) => right[i] ?? 0),
  );
  const ends = binning === 'mass' ? endsByMass(sorted.length, count) : endsByWidth(sorted, count);
  const bins = ends.map((end, i): ReliabilityBin => {
    const start = i === 0 ? 0 : (ends[i - 1] ?? 0);
    const own = sorted.subarray(start, end);
    const bounds =
      binning === 'width'
        ? { from: i / count, to: (i + 1) / count }
        : { from: own[0] ?? Number.NaN, to: own.at(-1) ?? Number.NaN };
    return {
      ...bounds,
      count: end - start,
      confidence: sumOf(own) / own.length,
      accuracy: sumOf(hits.subarray(start, end)) / own.length,
    };
  });
  const gaps = bins
    .filter((bin) => bin.count > 0)
    .map((bin) => ({ gap: Math.abs(bin.accuracy - bin.confidence), share: bin.count / sorted.length }));
  const isDefined = sorted.length > 0 && sorted.length === confidence.length;
  return {
    bins,
    expected: isDefined ? gaps.reduce((sum, { gap, share }) => sum + share * gap, 0) : Number.NaN,
    maximum: isDefined ? gaps.reduce((most, { gap }) => Math.max(most, gap), 0) : Number.NaN,
    examples: confidence.length,
  };
}

/** Rows of one confidence are all alike: where a bin ends among them, the order of the data must not decide. */
function sharedAmongTies(sorted: Float64Array, right: Float64Array): Float64Array {
  for (let start = 0, end = 0; start < sorted.length; start = end) {
    while (end < sorted.length && sorted[end] === sorted[start]) end++;
    right.fill(sumOf(right.subarray(start, end)) / (end - start), start, end);
  }
  return right;
}

function endsByMass(length: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * length) / count));
}

/** A confidence on a bound lies in the bin below, as in Guo et al. f32 times a few hundred is exact in float64. */
function endsByWidth(sorted: Float64Array, count: number): number[] {
  let end = 0;
  return Array.from({ length: count }, (_, i) => {
    while (end < sorted.length && (i === count - 1 || (sorted[end] ?? 0) * count <= i + 1)) end++;
    return end;
  });
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
