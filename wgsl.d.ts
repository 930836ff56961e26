// For TypeScript: `"types": ["cotangent/wgsl"]`, where the plugin of cotangent/vite turns .wgsl files into modules.
declare module '*.wgsl' {
  const module: import('./dist/types/kernels/wgslModule.js').WgslModule;
  export default module;
}
