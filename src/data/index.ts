export { type Batch, type Batches, type BatchOptions, batches, type Position } from './batches.js';
export type { Dataset, Field } from './fields.js';
export { type IdxArray, type IdxData, readIdx } from './idx.js';
export { decodeDataset, encodeDataset, type ImageDataset, type LabelledImages } from './imageDataset.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.js';
export { type SplitOptions, type SplitPart, splitDataset } from './splitDataset.js';
