/** What the build makes of one .wgsl file: its code and what is declared in it. Plain data. */
export interface WgslModule {
  /** Path under shaders/ without extension: 'matmul/register'. */
  readonly name: string;
  /** Own code, include lines removed. */
  readonly code: string;
  /** Direct includes, in order. */
  readonly includes: readonly WgslModule[];
  /** Buffer variables by name, of own code and includes. */
  readonly bindings: Readonly<Record<string, WgslBinding>>;
  /** Layouts of uniform structs by variable name, of own code and includes. */
  readonly uniforms: Readonly<Record<string, WgslUniform>>;
  readonly overrides: Readonly<Record<string, { readonly type: string; readonly default: number | undefined }>>;
  /** Every top-level declaration of own code, with where it stands in `code`. */
  readonly declarations: Readonly<Record<string, WgslDeclaration>>;
  /** Own functions. */
  readonly functions: Readonly<Record<string, WgslFunction>>;
  /** The one @compute entry point; undefined for a library. */
  readonly entryPoint: string | undefined;
  readonly workgroupSize: readonly (number | string)[] | undefined;
}

export interface WgslBinding {
  readonly group: number;
  readonly binding: number;
  readonly access: 'uniform' | 'read' | 'read_write';
  /** WGSL type, such as 'array<f32>' or a struct's name. */
  readonly type: string;
}

export interface WgslUniform {
  /** In bytes. */
  readonly size: number;
  readonly fields: Readonly<Record<string, { readonly offset: number; readonly size: number; readonly type: string }>>;
}

export interface WgslDeclaration {
  readonly kind: 'const' | 'alias' | 'fn' | 'struct' | 'override' | 'var';
  /** Offsets into `code`: the whole declaration, from its first attribute to its ';' or '}'. */
  readonly start: number;
  readonly end: number;
}

export interface WgslFunction {
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  readonly returns: string | undefined;
}
