import { type StructInfo, type VariableInfo, WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import { declarationsOf } from '../../kernels/declarations.js';
import type { WgslBinding, WgslDeclaration, WgslFunction, WgslModule, WgslUniform } from '../../kernels/wgslModule.js';
import { flatten, lineAt, type WgslSource, wgslError } from './source.js';
import { blankComments, compact, nameAndType, splitOutside, withoutAttributes } from './text.js';

/** What a module says of itself, its includes left to imports. */
export type WgslDescription = Omit<WgslModule, 'includes'>;

/** What WebGPU grants every device. */
const MAX_STORAGE_BUFFERS = 8;

export interface InspectOptions {
  /** Leave comments and indentation out of the code. */
  readonly compact?: boolean;
}

/**
 * Reads a shader as the build ships it.
 * @throws KernelError naming file, line and mend: text that does not parse, two bindings of one number,
 * more than 8 storage buffers, two entry points.
 */
export function inspect(source: WgslSource, options: InspectOptions = {}): WgslDescription {
  const sources = flatten(source);
  const reflection = reflect(source, sources);
  const bindings: Record<string, WgslBinding> = {};
  const overrides: Record<string, { type: string; default: number | undefined }> = {};
  const uniforms: Record<string, WgslUniform> = {};
  const variables = new Map(
    [...reflection.uniforms, ...reflection.storage].map((variable) => [original(variable.name), variable]),
  );

  for (const { path, code } of sources) {
    const plain = blankComments(code);
    for (const [name, { kind, start, end }] of Object.entries(declarationsOf(code))) {
      const text = plain.slice(start, end);
      if (kind === 'override') overrides[name] = readOverride(text);
      const variable = variables.get(name);
      if (kind !== 'var' || variable === undefined) continue;
      const binding = readBinding(text, variable);
      for (const [other, { group, binding: number }] of Object.entries(bindings)) {
        if (group !== binding.group || number !== binding.binding) continue;
        throw wgslError(
          path,
          lineAt(code, start),
          `'${name}' and '${other}' are both @group(${group}) @binding(${number}).`,
          {
            mend: `give '${name}' the next free number: ${nextNumber(bindings, group)}.`,
          },
        );
      }
      bindings[name] = binding;
      if (binding.access === 'uniform') uniforms[name] = layoutOf(variable);
      else if (Object.values(bindings).filter(({ access }) => access !== 'uniform').length > MAX_STORAGE_BUFFERS) {
        throw wgslError(
          path,
          lineAt(code, start),
          `'${name}' is storage buffer number ${MAX_STORAGE_BUFFERS + 1}; a device grants ${MAX_STORAGE_BUFFERS}.`,
          {
            mend: 'pack several into one buffer, or split the kernel.',
          },
        );
      }
    }
  }

  const entry = reflection.entry.compute;
  if (entry.length > 1) {
    const names = entry.map(({ name }) => original(name));
    const second = sources.find(({ code }) => (names[1] ?? '') in declarationsOf(code)) ?? source;
    const start = declarationsOf(second.code)[names[1] ?? '']?.start ?? 0;
    throw wgslError(
      second.path,
      lineAt(second.code, start),
      `there are ${names.length} @compute entry points: ${names.join(', ')}.`,
      {
        mend: 'give each a file of its own; what they share is included.',
      },
    );
  }
  const code = options.compact ? compact(source.code) : source.code;
  const declarations = declarationsOf(code);
  return {
    name: source.name,
    code,
    bindings,
    uniforms,
    overrides,
    declarations,
    functions: readFunctions(code, declarations),
    entryPoint: entry[0] === undefined ? undefined : original(entry[0].name),
    workgroupSize: workgroupSizeOf(entry[0]?.attributes ?? []),
  };
}

function reflect(source: WgslSource, sources: readonly WgslSource[]): WgslReflect {
  try {
    return new WgslReflect(sources.map(({ code }) => spellReserved(code)).join('\n'));
  } catch (cause) {
    const complaint = cause instanceof Error ? cause.message : String(cause);
    const given = Number(/Line:\s*(\d+)/.exec(complaint)?.[1] ?? 1);
    // The complaint counts lines through all files, one after the other.
    let line = given;
    let file = source;
    for (const each of sources) {
      const lines = each.code.split('\n').length;
      if (line <= lines) {
        file = each;
        break;
      }
      line -= lines;
    }
    const sentence = complaint.replace(/\.*\s*Line:\s*\d+.*$/s, '').trim();
    throw wgslError(file.path, line, `this does not parse: ${sentence}.`, {
      mend: 'mend the syntax on this line or the one before; some words, such as target and where, cannot name a variable.',
      cause,
    });
  }
}

/** Words that WGSL lets name a variable but the parser takes for its own. */
const TAKEN =
  /\b(var\s*<[^>]*>|ptr\s*<\s*\w+)|\b(block|function|handle|immediate|private|read|read_write|storage|type|uniform|workgroup|write)\b/g;
const SUFFIX = '_asName';

/** An experimental extension's types, in whose place any other will do, and builtins that have such parameters. */
const MATRIX_TYPE = /\bsubgroup_matrix_\w+\s*<[^<>]*>/g;
const MATRIX_CALL = /\b(subgroupMatrix\w+)\s*<[^<>]*>/g;

function spellReserved(code: string): string {
  const known = blankComments(code).replace(MATRIX_TYPE, 'f32').replace(MATRIX_CALL, '$1');
  return known.replace(TAKEN, (whole: string, space: string | undefined) =>
    space === undefined ? whole + SUFFIX : whole,
  );
}

function original(name: string): string {
  return name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name;
}

function readBinding(text: string, variable: VariableInfo): WgslBinding {
  const space = /\bvar\s*<\s*([^>]*?)\s*>/.exec(text)?.[1] ?? '';
  const access = space === 'uniform' ? 'uniform' : space.includes('read_write') ? 'read_write' : 'read';
  const { type } = nameAndType(text.replace(/;\s*$/, '').replace(/\bvar\s*<[^>]*>/, ''));
  return { group: Number(variable.group), binding: Number(variable.binding), access, type };
}

function nextNumber(bindings: Readonly<Record<string, WgslBinding>>, group: number): number {
  const taken = Object.values(bindings).filter((each) => each.group === group);
  return Math.max(-1, ...taken.map(({ binding }) => binding)) + 1;
}

function layoutOf({ type, size }: VariableInfo): WgslUniform {
  const fields: Record<string, { offset: number; size: number; type: string }> = {};
  for (const member of type.isStruct ? (type as StructInfo).members : []) {
    fields[original(member.name)] = { offset: member.offset, size: member.size, type: member.type.getTypeName() };
  }
  return { size, fields };
}

function readOverride(text: string): { type: string; default: number | undefined } {
  const [left = '', right = ''] = text.replace(/;\s*$/, '').split('=');
  const value = right.trim();
  const { type } = nameAndType(left);
  if (value === 'true' || value === 'false') return { type: type || 'bool', default: value === 'true' ? 1 : 0 };
  const [, digits, suffix = ''] = /^(-?(?:0x[\da-f]+|[\d.]+(?:e[+-]?\d+)?))([uifh]?)$/i.exec(value) ?? [];
  const inferred = { u: 'u32', i: 'i32', f: 'f32', h: 'f16' }[suffix] ?? (/[.e]/i.test(value) ? 'f32' : 'i32');
  return { type: type || inferred, default: digits === undefined ? undefined : Number(digits) };
}

function readFunctions(
  code: string,
  declarations: Readonly<Record<string, WgslDeclaration>>,
): Record<string, WgslFunction> {
  const functions: Record<string, WgslFunction> = {};
  const plain = blankComments(code);
  for (const [name, { kind, start, end }] of Object.entries(declarations)) {
    if (kind !== 'fn') continue;
    const text = plain.slice(start, end);
    const head = text.slice(text.search(/\bfn\s/), text.indexOf('{'));
    const open = head.indexOf('(');
    const close = closingOf(head, open);
    const parameters = splitOutside(head.slice(open + 1, close), ',').map(nameAndType);
    const arrow = /->\s*([\s\S]*)$/.exec(head.slice(close))?.[1];
    functions[name] = { parameters, returns: arrow === undefined ? undefined : withoutAttributes(arrow) };
  }
  return functions;
}

function closingOf(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '(') depth++;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return text.length;
}

function workgroupSizeOf(
  attributes: readonly { name: string; value: string | string[] | null }[],
): readonly (number | string)[] | undefined {
  const value = attributes.find(({ name }) => name === 'workgroup_size')?.value;
  if (value === undefined || value === null) return undefined;
  return [value].flat().map((size) => {
    const number = Number(/^(\d+|0x[\da-f]+)[ui]?$/i.exec(size)?.[1] ?? Number.NaN);
    return Number.isNaN(number) ? size : number;
  });
}
