// The peers are installed at the first benchmark only, so the compiler knows from here what is used of them.
declare module '@jax-js/jax' {
  type Used = import('./peers/jaxJs.js').JaxJs;
  export const numpy: Used['numpy'];
  export const lax: Used['lax'];
  export const nn: Used['nn'];
  export const tree: Used['tree'];
  export const jit: Used['jit'];
  export const grad: Used['grad'];
  export const valueAndGrad: Used['valueAndGrad'];
  export const init: Used['init'];
  export const defaultDevice: Used['defaultDevice'];
}
