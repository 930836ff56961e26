import { checkCounts, checkNames, ValueError } from '../errors.js';
import { derivedFrom, type Metric, metricOf } from './metric.js';
import { type Binning, type Reliability, reliabilityOf } from './reliability.js';

export interface CalibrationOptions {
  /** How many bins. Default 15. */
  readonly bins?: number;
  /** 'width' (default): bins of equal width, from 0 to 1; 'mass': of equally many rows. */
  readonly binning?: 'width' | 'mass';
}

/**
 * Confidence (the largest of `softmax(logits)`) against accuracy, in bins, with the expected and the maximum
 * calibration error. A confidence on a bound of equal widths lies in the bin below. Bins of equal mass hold as many rows
 * as can be; rows of one confidence across a bound share their accuracy, so that the order of the data plays no part.
 *
 * One confidence and one outcome a row come back; they are sorted and added up in float64 on the host, with no
 * approximation. A row with NaN or +infinity makes both errors NaN; so do no rows.
 *
 * @throws ValueError for an option out of range.
 * @source Guo et al. 2017 (equal widths, 15 bins, both errors); Nguyen, O'Connor 2015 (equal mass).
 * @example const svg = metrics.reliabilitySvg(await metrics.reliabilityDiagram().of(logits, labels), { title: 'Test set' });
 */
export function reliabilityDiagram(options: CalibrationOptions = {}): Metric<Reliability> {
  return reliability('metrics.reliabilityDiagram', options);
}

/**
 * The expected calibration error (ECE) of the predicted class: the bins' |accuracy - confidence|, weighed by their parts
 * of all rows. The options, and what becomes of NaN, are those of `reliabilityDiagram`.
 *
 * @source Guo et al. 2017, with 15 bins of equal width as the default.
 * @example const ece = await metrics.expectedCalibrationError({ binning: 'mass' }).of(logits, labels);
 */
export function expectedCalibrationError(options: CalibrationOptions = {}): Metric<number> {
  const op = 'metrics.expectedCalibrationError';
  return derivedFrom(op, reliability(op, options), ({ expected }) => expected);
}

/**
 * The maximum calibration error (MCE): the largest |accuracy - confidence| of a bin that is not empty. The options, and
 * what becomes of NaN, are those of `reliabilityDiagram`.
 *
 * @source Guo et al. 2017.
 * @example const mce = await metrics.maximumCalibrationError().of(logits, labels);
 */
export function maximumCalibrationError(options: CalibrationOptions = {}): Metric<number> {
  const op = 'metrics.maximumCalibrationError';
  return derivedFrom(op, reliability(op, options), ({ maximum }) => maximum);
}

function reliability(op: string, options: CalibrationOptions): Metric<Reliability> {
  const binning = checkBinning(op, options);
  return metricOf(
    op,
    ({ confidence, outcome }) => [confidence, outcome],
    () => {
      const confidences: number[] = [];
      const right: number[] = [];
      return {
        add: ([confidence = [], outcomes = []]) => {
          for (let i = 0; i < outcomes.length; i++) {
            const outcome = outcomes[i] ?? -1;
            if (outcome < 0) continue;
            confidences.push(confidence[i] ?? Number.NaN);
            right.push(outcome);
          }
        },
        value: () => reliabilityOf(Float64Array.from(confidences), Float64Array.from(right), binning),
      };
    },
  );
}

function checkBinning(op: string, options: CalibrationOptions): Binning {
  checkNames(op, options, ['bins', 'binning']);
  const { bins = 15, binning = 'width' } = options;
  checkCounts(op, { bins });
  if (binning !== 'width' && binning !== 'mass') {
    throw new ValueError(op, `binning is '${String(binning)}'; it must be 'width' or 'mass'.`);
  }
  return { bins, binning };
}
