import { afterAll, expect, test } from 'vitest';
import row from '../../shaders/losses/row.wgsl';
import quad from '../../shaders/matmul/quad.wgsl';
import { SUBGROUP_MATRIX } from '../../src/device/device.js';
import type { WgslModule } from '../../src/kernels/wgslModule.js';

// The parser of the build forgives much; Chrome's compiler decides.
const modules = import.meta.glob<WgslModule>('../../shaders/**/*.wgsl', { eager: true, import: 'default' });
const adapter = await navigator.gpu.requestAdapter();
const features = ['shader-f16', 'subgroups', SUBGROUP_MATRIX].filter((feature) => adapter?.features.has(feature));
const device = await adapter?.requestDevice({ requiredFeatures: features as GPUFeatureName[] });
afterAll(() => device?.destroy());

function flatten(module: WgslModule, into: WgslModule[] = []): WgslModule[] {
  for (const include of module.includes) flatten(include, into);
  if (!into.includes(module)) into.push(module);
  return into;
}

/** The code of a part of `module`. A loss's own Parameters take the place of row.wgsl's, as they do in the hosts. */
function codeOf(part: WgslModule, module: WgslModule): string {
  const fallback =
    part === row && module !== row && 'Parameters' in module.declarations && part.declarations.Parameters;
  return fallback ? part.code.slice(0, fallback.start) + part.code.slice(fallback.end) : part.code;
}

async function complaints(code: string): Promise<GPUCompilationMessage[]> {
  if (device === undefined) throw new Error('no WebGPU device');
  const enables = features.map((feature) => `enable ${feature.replace('shader-', '').replaceAll('-', '_')};`);
  // As specialise() has it, of which this is no part.
  if (features.includes(SUBGROUP_MATRIX)) enables.push('diagnostic(off, chromium.subgroup_matrix_uniformity);');
  const head = enables.join(' ');
  const { messages } = await device.createShaderModule({ code: `${head}\n${code}` }).getCompilationInfo();
  return messages.filter(({ type }) => type === 'error');
}

test('there are shaders', () => {
  expect(Object.keys(modules).length).toBeGreaterThan(10);
});

const needsMatrices = ({ code }: WgslModule) => code.includes('subgroup_matrix_');

test.for(Object.values(modules))('$name compiles as it stands', async (module, { skip }) => {
  skip(needsMatrices(module) && !features.includes(SUBGROUP_MATRIX), `the adapter has no ${SUBGROUP_MATRIX}`);
  const parts = flatten(module);
  const found = await complaints(parts.map((part) => codeOf(part, module)).join('\n'));
  expect(found.map(({ message, lineNum }) => `${placeOf(parts, lineNum)}: ${message}`)).toEqual([]);
});

test('a row loss without parameters declares no struct', async () => {
  const loss = `
    fn finish(row: Row, parameters: Parameters) -> f32 { return 1.0 - row.probability; }
    fn gradient(row: Row, j: Logit, parameters: Parameters) -> f32 { return row.probability * j.residual; }`;
  expect((await complaints(row.code + loss)).map(({ message }) => message)).toEqual([]);
  // The other side: without row.wgsl its types are unknown.
  expect((await complaints(loss)).length).toBeGreaterThan(0);
});

test('a misspelt binding or override is a type error', () => {
  expect(quad.bindings.result.access).toBe('read_write');
  // @ts-expect-error There is no binding of this name.
  expect(quad.bindings.resutl).toBeUndefined();
  // @ts-expect-error There is no override of this name.
  expect(quad.overrides.TILE_ROW).toBeUndefined();
});

/** File and line of a line of the whole text, whose first line holds the enables. */
function placeOf(parts: readonly WgslModule[], lineNumber: number): string {
  let line = lineNumber - 1;
  for (const { name, code } of parts) {
    const lines = code.split('\n').length;
    if (line <= lines) return `shaders/${name}.wgsl:${line}`;
    line -= lines;
  }
  return `line ${lineNumber}`;
}
