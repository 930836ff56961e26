export { decodeSafetensors } from './decodeSafetensors.js';
export { encodeSafetensors } from './encodeSafetensors.js';
export type {
  SafetensorsData,
  SafetensorsDtype,
  SafetensorsFile,
  SafetensorsTensor,
} from './safetensorsFormat.js';
