import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { WgslModule } from '../../src/kernels/wgslModule.js';
import { declarationFile } from '../../src/node/wgsl/declarationFile.js';
import { type InspectOptions, inspect, type WgslDescription } from '../../src/node/wgsl/inspect.js';
import { flatten, readSource } from '../../src/node/wgsl/source.js';
import { wgsl } from '../../src/node/wgsl/wgsl.js';

const root = await mkdtemp(join(tmpdir(), 'cotangent-wgsl-'));
afterAll(() => rm(root, { recursive: true }));

let folders = 0;
/** Writes the files under a new shaders folder and gives its path. */
async function shaders(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, String(folders++), 'shaders');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

async function inspectFiles(
  files: Readonly<Record<string, string>>,
  options?: InspectOptions,
): Promise<WgslDescription> {
  const folder = await shaders(files);
  return inspect(readSource(join(folder, Object.keys(files)[0] ?? '')), options);
}

const SCALE = `// Scales.
// include common/half.wgsl   half(x)
struct Sizes {
  count: u32,          // of elements
  factor: f32,
  shift: vec3<f32>,
  rows: array<vec4<u32>, 2>,
}
alias Scalar = f32;
const TILE = 4u;
override WORKGROUP_SIZE: u32 = 64;
override RATE = 0.5;
override FLAG: bool = true;
override WIDE: u32 = WORKGROUP_SIZE * 2;
@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<Scalar>;
@group(0)
@binding(2) var<storage, read_write> result : array< vec4<f32> >;
var<workgroup> tile: array<f32, WORKGROUP_SIZE>;
/* fn hidden() {} */
fn scaled(@builtin(position) at: vec4<f32>, p: ptr<function, array<f32, 4>>) -> vec2<f32> { if (true) { return vec2f(half(at.x)); } return vec2f(); }
@compute @workgroup_size(WORKGROUP_SIZE, 2u)
fn scale(@builtin(global_invocation_id) id: vec3<u32>) { let block = id.x; result[block] = vec4f(a[block]); }
`;
const HALF = `@group(0) @binding(3) var<storage, read> table: array<f32>;
override DEPTH: i32 = -3;
fn half(x: f32) -> f32 { return 0.5 * x; }
`;

describe('inspect', async () => {
  const files = { 'one/scale.wgsl': SCALE, 'common/half.wgsl': HALF };
  const scale = await inspectFiles(files);

  test('name, entry point and workgroup size', () => {
    expect(scale.name).toBe('one/scale');
    expect(scale.entryPoint).toBe('scale');
    expect(scale.workgroupSize).toEqual(['WORKGROUP_SIZE', 2]);
  });

  test('bindings of own code and includes, with types as they are written', () => {
    expect(scale.bindings).toEqual({
      table: { group: 0, binding: 3, access: 'read', type: 'array<f32>' },
      sizes: { group: 0, binding: 0, access: 'uniform', type: 'Sizes' },
      a: { group: 0, binding: 1, access: 'read', type: 'array<Scalar>' },
      result: { group: 0, binding: 2, access: 'read_write', type: 'array< vec4<f32> >' },
    });
  });

  test('the layout of a uniform struct', () => {
    expect(scale.uniforms.sizes).toEqual({
      size: 64,
      fields: {
        count: { offset: 0, size: 4, type: 'u32' },
        factor: { offset: 4, size: 4, type: 'f32' },
        shift: { offset: 16, size: 12, type: 'vec3f' },
        rows: { offset: 32, size: 32, type: 'array<vec4u, 2>' },
      },
    });
  });

  test('overrides; a default that is no literal is undefined', () => {
    expect(scale.overrides).toEqual({
      DEPTH: { type: 'i32', default: -3 },
      WORKGROUP_SIZE: { type: 'u32', default: 64 },
      RATE: { type: 'f32', default: 0.5 },
      FLAG: { type: 'bool', default: 1 },
      WIDE: { type: 'u32', default: undefined },
    });
  });

  test('own functions only', () => {
    expect(Object.keys(scale.functions)).toEqual(['scaled', 'scale']);
    expect(scale.functions.scaled).toEqual({
      parameters: [
        { name: 'at', type: 'vec4<f32>' },
        { name: 'p', type: 'ptr<function, array<f32, 4>>' },
      ],
      returns: 'vec2<f32>',
    });
    expect(scale.functions.scale?.returns).toBeUndefined();
  });

  test.each([{ compact: false }, { compact: true }])('every own declaration, whole ($compact)', async (options) => {
    const { code, declarations } = await inspectFiles(files, options);
    const text = (name: string): string =>
      code.slice(declarations[name]?.start, declarations[name]?.end).replace(/\s+/g, ' ');
    expect(Object.entries(declarations).map(([name, { kind }]) => `${kind} ${name}`)).toEqual([
      'struct Sizes',
      'alias Scalar',
      'const TILE',
      'override WORKGROUP_SIZE',
      'override RATE',
      'override FLAG',
      'override WIDE',
      'var sizes',
      'var a',
      'var result',
      'var tile',
      'fn scaled',
      'fn scale',
    ]);
    expect(text('TILE')).toBe('const TILE = 4u;');
    expect(text('Scalar')).toBe('alias Scalar = f32;');
    expect(text('result')).toBe('@group(0) @binding(2) var<storage, read_write> result : array< vec4<f32> >;');
    expect(text('Sizes')).toMatch(/^struct Sizes \{.*\}$/);
    expect(text('scaled')).toMatch(/^fn scaled\(.*return vec2f\(\); \}$/);
    expect(text('scale')).toMatch(/^@compute @workgroup_size\(WORKGROUP_SIZE, 2u\) fn scale\(.*\}$/);
    expect(code.includes('//')).toBe(!options.compact);
  });

  test('lines keep their numbers when comments stay', () => {
    expect(scale.code.split('\n')[2]).toBe('struct Sizes {');
  });

  test('a library has no entry point', async () => {
    const half = await inspectFiles({ 'common/half.wgsl': HALF });
    expect(half.entryPoint).toBeUndefined();
    expect(half.workgroupSize).toBeUndefined();
  });

  test('words that only the parser keeps for itself may name things', async () => {
    const text = `struct Block { type: u32, storage: f32 }
@group(0) @binding(0) var<uniform> block: Block;
@group(0) @binding(1) var<storage, read_write> write: array<f32>;
@compute @workgroup_size(1) fn private() { let workgroup = block.storage; write[0] = workgroup; }`;
    const { bindings, uniforms, entryPoint } = await inspectFiles({ 'a.wgsl': text });
    expect(Object.keys(bindings)).toEqual(['block', 'write']);
    expect(Object.keys(uniforms.block?.fields ?? {})).toEqual(['type', 'storage']);
    expect(entryPoint).toBe('private');
  });
});

test('a file that two others include comes once', async () => {
  const folder = await shaders({
    'top.wgsl': '// include left.wgsl\n// include right.wgsl\nfn top() {}\n',
    'left.wgsl': '// include base.wgsl\nfn left() {}\n',
    'right.wgsl': '// include base.wgsl\nfn right() {}\n',
    'base.wgsl': 'fn base() {}\n',
  });
  expect(flatten(readSource(join(folder, 'top.wgsl'))).map(({ name }) => name)).toEqual([
    'base',
    'left',
    'right',
    'top',
  ]);
});

describe('the build complains', () => {
  const storage = (number: number): string =>
    `@group(0) @binding(${number}) var<storage, read> b${number}: array<f32>;`;

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      'about text that does not parse',
      { 'a.wgsl': '// include b.wgsl\nfn a() {\n  let x = 1 $ 2;\n}\n', 'b.wgsl': 'fn b() {}\n' },
      "KernelError: a.wgsl: this does not parse: Expected ';' after statement.\n  at PATH/a.wgsl:3\n  Mend: mend the syntax on this line or the one before; some words, such as target and where, cannot name a variable.",
    ],
    [
      'about an include that does not parse, by its own line',
      { 'a.wgsl': '// include b.wgsl\nfn a() {}\n', 'b.wgsl': '\nfn b() {\n  let x = 1 $ 2;\n}\n' },
      "KernelError: b.wgsl: this does not parse: Expected ';' after statement.\n  at PATH/b.wgsl:3\n  Mend: mend the syntax on this line or the one before; some words, such as target and where, cannot name a variable.",
    ],
    [
      'about an include that is not there',
      { 'a.wgsl': '\n// include comon/b.wgsl\n' },
      "KernelError: a.wgsl: cannot include 'comon/b.wgsl': there is no such file under PATH.\n  at PATH/a.wgsl:2\n  Mend: write the path from the folder of shaders, such as common/special.wgsl.",
    ],
    [
      'about a circle',
      { 'a.wgsl': '// include b.wgsl\n', 'b.wgsl': '// include a.wgsl\n' },
      'KernelError: b.wgsl: includes go in a circle: a -> b -> a.\n  at PATH/b.wgsl:1\n  Mend: move what both need into a third file.',
    ],
    [
      'about an include written twice',
      { 'a.wgsl': '// include b.wgsl\n// include b.wgsl\n', 'b.wgsl': 'fn b() {}\n' },
      "KernelError: a.wgsl: 'b.wgsl' is included twice.\n  at PATH/a.wgsl:2\n  Mend: drop one of the two lines.",
    ],
    [
      'about one number given twice',
      { 'a.wgsl': `${storage(0)}\n${storage(1)}\n${storage(1).replace('b1', 'again')}\n` },
      "KernelError: a.wgsl: 'again' and 'b1' are both @group(0) @binding(1).\n  at PATH/a.wgsl:3\n  Mend: give 'again' the next free number: 2.",
    ],
    [
      'about nine storage buffers',
      { 'a.wgsl': Array.from({ length: 9 }, (_, number) => storage(number)).join('\n') },
      "KernelError: a.wgsl: 'b8' is storage buffer number 9; a device grants 8.\n  at PATH/a.wgsl:9\n  Mend: pack several into one buffer, or split the kernel.",
    ],
    [
      'about two entry points',
      { 'a.wgsl': '@compute @workgroup_size(1) fn one() {}\n@compute @workgroup_size(1) fn two() {}\n' },
      'KernelError: a.wgsl: there are 2 @compute entry points: one, two.\n  at PATH/a.wgsl:2\n  Mend: give each a file of its own; what they share is included.',
    ],
  ])('%s', async (_, files, expected) => {
    const folder = await shaders(files);
    // The whole text, with the shader's line.
    let text = 'nothing was thrown';
    try {
      inspect(readSource(join(folder, 'a.wgsl')));
    } catch (error) {
      text = String(error);
    }
    expect(text.replaceAll(folder, 'PATH')).toBe(expected);
  });

  test('not about eight', async () => {
    const text = Array.from({ length: 8 }, (_, number) => storage(number)).join('\n');
    expect(Object.keys((await inspectFiles({ 'a.wgsl': text })).bindings)).toHaveLength(8);
  });
});

test('the declaration file spells out every name', async () => {
  const text = declarationFile(
    await inspectFiles({ 'scale.wgsl': SCALE, 'common/half.wgsl': HALF }),
    '../src/kernels/wgslModule.js',
  );
  for (const line of [
    "import type { WgslDeclaration, WgslFunction, WgslModule } from '../src/kernels/wgslModule.js';",
    '    readonly a: { readonly group: 0; readonly binding: 1; readonly access: "read"; readonly type: "array<Scalar>" };',
    '    readonly WIDE: { readonly type: "u32"; readonly default: undefined };',
    '    readonly scaled: WgslFunction & { readonly returns: "vec2<f32>" };',
    '  readonly entryPoint: "scale";',
    '  readonly workgroupSize: readonly ["WORKGROUP_SIZE", 2];',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

test('the plugin makes a module of plain data, which imports its includes', async () => {
  const folder = await shaders({ 'one/scale.wgsl': SCALE, 'common/half.wgsl': HALF });
  const { build } = await import('vite');
  const result = await build({
    configFile: false,
    logLevel: 'error',
    root: folder,
    plugins: [wgsl()],
    build: { write: false, minify: false, lib: { entry: join(folder, 'one/scale.wgsl'), formats: ['es'] } },
  });
  const [output] = [result].flat();
  const text = output !== undefined && 'output' in output ? output.output[0].code : '';
  const { default: module } = (await import(`data:text/javascript,${encodeURIComponent(text)}`)) as {
    default: WgslModule;
  };
  expect(module.includes.map(({ name }) => name)).toEqual(['common/half']);
  expect(module.entryPoint).toBe('scale');
  expect(module.code).not.toContain('include');
  expect(JSON.parse(JSON.stringify(module)).bindings).toEqual(module.bindings);
});
