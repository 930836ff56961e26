import { KernelError, suggest } from '../errors.js';
import type { WgslModule } from './wgslModule.js';

export type BindingAccess = 'uniform' | 'read' | 'read_write';

export interface KernelBinding {
  readonly name: string;
  readonly access: BindingAccess;
  /** WGSL type, such as `array<f32>` or a struct's name. */
  readonly type: string;
}

export interface Specialisation {
  /** Whole declarations by name: their new text; an empty text drops them. */
  readonly replace: Readonly<Record<string, string>>;
  /** Bindings of the kernel that are not used any more. */
  readonly dropBindings: ReadonlySet<string>;
  readonly extraBindings: readonly KernelBinding[];
  /** Library modules that the new text calls. */
  readonly includes: readonly WgslModule[];
  /** Its declarations stand in for the kernel's same-named defaults. */
  readonly appended?: WgslModule | undefined;
  /** Free text in front: structs of extra uniforms, say. */
  readonly prelude: string;
}

export interface SpecialisedKernel {
  readonly code: string;
  readonly entryPoint: string;
  /** In order of their binding number in group 0. */
  readonly bindings: readonly KernelBinding[];
  /** The file and line that a line of `code` (from 1) came from; undefined for text of the planner's. */
  readonly lineMap: (line: number) => { readonly file: string; readonly line: number } | undefined;
}

/** A piece of the result: a stretch of a module's own text, or text in its place. */
interface Chunk {
  readonly text: string;
  readonly file?: string;
  /** The line of its first character, from 1. */
  readonly line?: number;
}

/**
 * Makes a compilable kernel from a module: includes come once each, in order; named declarations are
 * replaced whole; storage and uniform variables are declared anew with consecutive binding numbers.
 */
export function specialise(kernel: WgslModule, by: Specialisation): SpecialisedKernel {
  if (kernel.entryPoint === undefined) {
    throw new KernelError(kernel.name, 'the module has no @compute entry point.');
  }
  const modules: WgslModule[] = [];
  for (const module of [...by.includes, kernel, ...(by.appended?.includes ?? [])]) collect(module, modules);
  if (by.appended) modules.push(by.appended);
  for (const name of Object.keys(by.replace)) {
    if (!modules.some((module) => name in module.declarations)) {
      const known = modules.flatMap((module) => Object.keys(module.declarations));
      const sentence = `there is no declaration '${name}' to replace; ${suggest(name, known)}`;
      throw new KernelError(kernel.name, sentence);
    }
  }
  const bindings: KernelBinding[] = [];
  const seen = new Set<string>();
  for (const module of modules) {
    for (const [name, binding] of Object.entries(module.bindings)) {
      if (seen.has(name) || by.dropBindings.has(name)) continue;
      seen.add(name);
      bindings.push({ name, access: binding.access, type: binding.type });
    }
  }
  bindings.push(...by.extraBindings);
  const head = [by.prelude, ...bindings.map(declareBinding)].map((text) => ({ text: `${text}\n` }));
  const chunks: Chunk[] = [...head, ...modules.flatMap((module) => [...rewrite(module, by), { text: '\n' }])];
  const text = chunks.map((chunk) => chunk.text).join('');
  const enabled = enables(text);
  return {
    code: enabled + text,
    entryPoint: kernel.entryPoint,
    bindings,
    lineMap: (line) => placeOf([{ text: enabled }, ...chunks], line),
  };
}

function placeOf(chunks: readonly Chunk[], line: number): { file: string; line: number } | undefined {
  let first = 1;
  for (const chunk of chunks) {
    const lines = chunk.text.split('\n').length - 1;
    if (line < first + lines || (line === first + lines && chunk === chunks.at(-1))) {
      if (chunk.file === undefined || chunk.line === undefined) return undefined;
      return { file: chunk.file, line: chunk.line + line - first };
    }
    first += lines;
  }
  return undefined;
}

/** A file is told by its name: a user's bundler makes modules of its own of the library's files. */
function collect(module: WgslModule, into: WgslModule[]): void {
  if (into.some(({ name }) => name === module.name)) return;
  for (const include of module.includes) collect(include, into);
  into.push(module);
}

function declareBinding({ name, access, type }: KernelBinding, number: number): string {
  const space = access === 'uniform' ? 'uniform' : `storage, ${access}`;
  return `@group(0) @binding(${number}) var<${space}> ${name}: ${type};`;
}

/** The module's code with bindings cut out and named declarations exchanged. */
function rewrite(module: WgslModule, by: Specialisation): Chunk[] {
  const edits = Object.entries(module.declarations)
    .map(([name, declaration]) => ({ ...declaration, text: editOf(module, name, by) }))
    .filter((edit): edit is typeof edit & { text: string } => edit.text !== undefined)
    .sort((a, b) => a.start - b.start);
  const chunks: Chunk[] = [];
  const file = module.name.includes('/') ? `${module.name}.wgsl` : module.name;
  const keep = (from: number, to: number) => {
    const line = module.code.slice(0, from).split('\n').length;
    chunks.push({ text: module.code.slice(from, to), file, line });
  };
  let from = 0;
  for (const { start, end, text } of edits) {
    keep(from, start);
    chunks.push({ text });
    from = end;
  }
  keep(from, module.code.length);
  return chunks;
}

function editOf(module: WgslModule, name: string, by: Specialisation): string | undefined {
  if (name in module.bindings && module.declarations[name]?.kind === 'var') return '';
  const replacement = by.replace[name];
  if (replacement !== undefined) return replacement;
  const overruled = by.appended !== undefined && module !== by.appended && name in by.appended.declarations;
  return overruled ? '' : undefined;
}

/** Where a matrix lies may differ between subgroups, as it does in our kernel; the check asks for one place a workgroup. */
const MATRICES = 'enable chromium_experimental_subgroup_matrix; diagnostic(off, chromium.subgroup_matrix_uniformity);';

/** `enable` lines must come first in a file, so they are added here, by use. Comments do not use anything. */
function enables(commented: string): string {
  const code = commented.replace(/\/\/.*|\/\*[\s\S]*?\*\//g, '');
  let text = '';
  const subgroups = /\b(subgroup|quad)[A-Z]\w*\s*\(|\bsubgroup_(size|invocation_id)\b/;
  if (subgroups.test(code)) text += 'enable subgroups;\n';
  if (/\bf16\b/.test(code)) text += 'enable f16;\n';
  if (/\bsubgroup_matrix_/.test(code)) text += `${MATRICES}\n`;
  return text;
}
