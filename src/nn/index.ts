export * from './initialise.js';
export * from './layers.js';
export * from './linear.js';
export * from './module.js';
export * from './sequential.js';
