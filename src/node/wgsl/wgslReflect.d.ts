// The file that Node 20 can load has no types of its own; the package's other entry has.
declare module 'wgsl_reflect/wgsl_reflect.module.js' {
  export * from 'wgsl_reflect';
}
