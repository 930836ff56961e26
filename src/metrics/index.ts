export { accuracy } from './accuracy.js';
export { areaUnderRoc } from './areaUnderRoc.js';
export { auroc, perClassAuroc } from './auroc.js';
export { brier } from './brier.js';
export {
  type CalibrationOptions,
  expectedCalibrationError,
  maximumCalibrationError,
  reliabilityDiagram,
} from './calibration.js';
export { confusionMatrix } from './confusionMatrix.js';
export type { Metrics, MetricValues } from './meter.js';
export type { Metric } from './metric.js';
export { negativeLogLikelihood } from './negativeLogLikelihood.js';
export { perClassAccuracy } from './perClassAccuracy.js';
export type { Reliability, ReliabilityBin } from './reliability.js';
export { reliabilitySvg } from './reliabilitySvg.js';
export { rowMean } from './rowMean.js';
export type { RowOptions } from './rows.js';
export { topK } from './topK.js';
