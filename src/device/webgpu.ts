/**
 * WebGPU's own types, by name alone: they add nothing where the DOM's declarations know them (TypeScript 6 and later) or
 * @webgpu/types is there, and where neither is, ours still check, without one more package to install.
 */
declare global {
  interface GPU {}
  interface GPUBindGroup {}
  interface GPUBindGroupLayout {}
  interface GPUBuffer {}
  interface GPUCommandEncoder {}
  interface GPUComputePassEncoder {}
  interface GPUComputePipeline {}
  interface GPUDevice {}
  interface GPUPipelineLayout {}
  interface GPUQueue {}
  interface GPUSupportedLimits {}
}

export {};
