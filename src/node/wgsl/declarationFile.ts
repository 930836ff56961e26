import type { WgslDescription } from './inspect.js';

/**
 * The text of `NAME.d.wgsl.ts`: the module's type with every name spelt out, so that a misspelt binding,
 * uniform, override or function is a type error.
 * @param types where the module types are imported from.
 */
export function declarationFile(description: WgslDescription, types: string): string {
  const { name, bindings, uniforms, overrides, declarations, functions, entryPoint, workgroupSize } = description;
  const lines = [
    `// Made by \`npm run generate\` from ${name}.wgsl.`,
    `import type { WgslDeclaration, WgslFunction, WgslModule } from '${types}';`,
    '',
    'declare const module: {',
    `  readonly name: ${quote(name)};`,
    '  readonly code: string;',
    '  readonly includes: readonly WgslModule[];',
    `  readonly bindings: ${object(bindings, literal)};`,
    `  readonly uniforms: ${object(uniforms, ({ size, fields }) => `{ readonly size: ${size}; readonly fields: ${object(fields, literal, 4)} }`)};`,
    // A default may be undefined, which JSON cannot say.
    `  readonly overrides: ${object(overrides, (each) => `{ readonly type: ${quote(each.type)}; readonly default: ${each.default} }`)};`,
    `  readonly declarations: ${object(declarations, ({ kind }) => `WgslDeclaration & { readonly kind: ${quote(kind)} }`)};`,
    `  readonly functions: ${object(functions, ({ returns }) => `WgslFunction & { readonly returns: ${returns === undefined ? 'undefined' : quote(returns)} }`)};`,
    `  readonly entryPoint: ${entryPoint === undefined ? 'undefined' : quote(entryPoint)};`,
    `  readonly workgroupSize: ${workgroupSize === undefined ? 'undefined' : `readonly [${workgroupSize.map((size) => JSON.stringify(size)).join(', ')}]`};`,
    '};',
    'export default module;',
    '',
  ];
  return lines.join('\n');
}

function object<T>(record: Readonly<Record<string, T>>, show: (value: T) => string, indent = 2): string {
  const entries = Object.entries(record);
  if (entries.length === 0) return '{}';
  const pad = ' '.repeat(indent + 2);
  return `{\n${entries.map(([key, value]) => `${pad}readonly ${key}: ${show(value)};`).join('\n')}\n${' '.repeat(indent)}}`;
}

function literal(value: object): string {
  const fields = Object.entries(value).map(([key, each]) => `readonly ${key}: ${JSON.stringify(each)}`);
  return `{ ${fields.join('; ')} }`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
