/** As in package.json (a test compares): other versions have other kernels, so their choices do not count. */
export const LIBRARY_VERSION = '0.1.0';
