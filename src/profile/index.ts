export type { MeasuredLimits } from '../kernels/limits.js';
export { chromeTrace } from './chromeTrace.js';
export { formatProfile } from './formatProfile.js';
export { measureLimits } from './measureLimits.js';
export { profile } from './profile.js';
export { rooflineSvg } from './rooflineSvg.js';
export type { Profile, ProfiledDispatch } from './types.js';
