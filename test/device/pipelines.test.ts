import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Device } from '../../src/device/device.js';
import type { BindingKind, PipelineDescription } from '../../src/device/pipelines.js';
import { complaint, textOf } from '../support/complaint.js';

let device: Device;
beforeAll(async () => {
  device = await Device.open();
});
afterAll(() => device.destroy());

let before = 0;
beforeEach(() => {
  before = device.pipelines.pipelinesCreated;
});
const created = (): number => device.pipelines.pipelinesCreated - before;

// What a test does not expect must not happen: no error is left behind.
afterEach(async () => {
  await device.readback.fence();
  expect(device.errors.takeUncaptured()).toBe(undefined);
});

/** Multiplies by `factor`; each name is a module of its own, so that tests do not share pipelines. */
function scaling(name: string, change: Partial<PipelineDescription> = {}): PipelineDescription {
  return {
    label: `${name}.wgsl`,
    code: `// ${name}
override factor: f32 = 2.0;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) group: vec3u) {
  y[group.x] = factor * x[group.x];
}`,
    entryPoint: 'main',
    constants: {},
    signature: ['read', 'read_write'],
    ...change,
  };
}

/** What the pipeline makes of 1, 2, 3. */
async function run(pipeline: GPUComputePipeline): Promise<number[]> {
  const [x, y] = [device.buffers.acquire(12), device.buffers.acquire(12)];
  device.queue.writeBuffer(x.buffer, 0, Float32Array.of(1, 2, 3));
  device.queue.writeBuffer(y.buffer, 0, new Float32Array(3));
  const { error } = device.errors.scope('run', () => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.gpu.createBindGroup({
        layout: device.pipelines.layout(['read', 'read_write']).bindGroupLayout,
        entries: [x, y].map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
      }),
    );
    pass.dispatchWorkgroups(3);
    pass.end();
    device.queue.submit([encoder.finish()]);
  });
  expect(await error).toBe(undefined);
  const values = Array.from(new Float32Array(await device.readback.read(y.buffer, 0, 12)));
  device.buffers.release(x);
  device.buffers.release(y);
  return values;
}

describe('layouts', () => {
  test('are shared by signature', () => {
    const layout = device.pipelines.layout(['uniform', 'read', 'read_write']);
    expect(device.pipelines.layout(['uniform', 'read', 'read_write'])).toBe(layout);
    expect(device.pipelines.layout(['uniform', 'read_write', 'read'])).not.toBe(layout);
    expect(device.pipelines.layout([]).bindGroupLayout).toBeInstanceOf(GPUBindGroupLayout);
  });

  test('8 storage buffers fit, and a uniform beside them; 9 do not', async () => {
    const eight: BindingKind[] = Array.from({ length: 8 }, (_, i) => (i < 4 ? 'read' : 'read_write'));
    const { error } = device.errors.scope('layout', () => device.pipelines.layout(['uniform', ...eight]));
    expect(await error).toBe(undefined);
    expect(await complaint(() => device.pipelines.layout(['read', ...eight]))).toBe(
      "KernelError: layout: a kernel binds 9 storage buffers, but this device's maxStorageBuffersPerShaderStage is 8.\n" +
        '  Mend: split the kernel, or pack several operands into one buffer.',
    );
  });
});

describe('pipelines', () => {
  test('made at once run, and are made once', async () => {
    const description = scaling('sync');
    expect(device.pipelines.get(description)).toBe(undefined);
    const { pipeline, error } = device.pipelines.create(description);
    expect(device.pipelines.create({ ...description }).pipeline).toBe(pipeline);
    expect(device.pipelines.get(description)).toBe(pipeline);
    expect(await error).toBe(undefined);
    expect(await device.pipelines.createAsync(description)).toBe(pipeline);
    expect(created()).toBe(1);
    expect(await run(pipeline)).toEqual([2, 4, 6]);
  });

  test('made asynchronously are shared by calls in flight and later ones', async () => {
    const description = scaling('async', { constants: { factor: 5 } });
    const [first, second] = await Promise.all([
      device.pipelines.createAsync(description),
      device.pipelines.createAsync({ ...description, constants: { factor: 5 } }),
    ]);
    expect(second).toBe(first);
    expect(device.pipelines.create(description).pipeline).toBe(first);
    expect(device.pipelines.get(description)).toBe(first);
    expect(created()).toBe(1);
    expect(await run(first)).toEqual([5, 10, 15]);
  });

  test('differ by their constants', async () => {
    const factors = [3, 4, -1];
    const pipelines = await Promise.all(
      factors.map((factor) => device.pipelines.createAsync(scaling('constants', { constants: { factor } }))),
    );
    expect(created()).toBe(3);
    for (const [i, pipeline] of pipelines.entries()) {
      expect(await run(pipeline)).toEqual([1, 2, 3].map((x) => x * (factors[i] ?? 0)));
    }
  });
});

describe('WGSL that does not compile', () => {
  const wrong = (name: string): PipelineDescription =>
    scaling(name, { code: scaling(name).code.replace('= factor *', '= gama *') });
  const text = (name: string): string =>
    `KernelError: ${name}.wgsl:6:16: unresolved value 'gama'\n` +
    '  6 |   y[group.x] = gama * x[group.x];\n' +
    '    |                ^^^^';

  test('shows the line, asynchronously', async () => {
    expect(await complaint(() => device.pipelines.createAsync(wrong('wrongAsync')))).toBe(text('wrongAsync'));
  });

  test('shows the line, later, when made at once', async () => {
    const { error } = device.pipelines.create(wrong('wrongSync'));
    const found = await error;
    expect(found && textOf(found)).toBe(text('wrongSync'));
    expect(found?.callSite).toMatch(/^pipelines\.test\.ts:\d+:\d+$/);
  });

  test('is not kept, and fails again in the same words', async () => {
    const description = wrong('wrongTwice');
    await device.pipelines.create(description).error;
    expect(device.pipelines.get(description)).toBe(undefined);
    expect(await complaint(() => device.pipelines.createAsync(description))).toBe(text('wrongTwice'));
    expect(await complaint(() => device.pipelines.createAsync(description))).toBe(text('wrongTwice'));
    const again = await device.pipelines.create(description).error;
    expect(again && textOf(again)).toBe(text('wrongTwice'));
  });

  test('rejects a call that waits for one made at once', async () => {
    const description = wrong('wrongMixed');
    const { error } = device.pipelines.create(description);
    expect(await complaint(() => device.pipelines.createAsync(description))).toBe(text('wrongMixed'));
    expect((await error)?.op).toBe('wrongMixed.wgsl:6:16');
  });

  test('is placed in the file that the line came from', async () => {
    const lineMap = (line: number) => (line >= 4 ? { file: 'my-loss.wgsl', line: line + 96 } : undefined);
    expect(await complaint(() => device.pipelines.createAsync({ ...wrong('mapped'), lineMap }))).toBe(
      "KernelError: my-loss.wgsl:102:16: unresolved value 'gama'\n" +
        '  102 |   y[group.x] = gama * x[group.x];\n' +
        '      |                ^^^^',
    );
  });

  test('keeps tabs, so that the carets stand right', async () => {
    const code = '@compute @workgroup_size(1) fn main() {\n\tlet a = b;\n}';
    expect(await complaint(() => device.pipelines.createAsync(scaling('tabs', { code })))).toBe(
      "KernelError: tabs.wgsl:2:10: unresolved value 'b'\n  2 | \tlet a = b;\n    | \t        ^",
    );
  });
});

describe('pipelines that the GPU refuses though the WGSL compiles', () => {
  test('a binding that disagrees with its signature', async () => {
    const description = scaling('binding', { signature: ['read_write', 'read_write'] });
    const text = await complaint(() => device.pipelines.createAsync(description));
    expect(text).toMatch(/^KernelError: binding\.wgsl: .*binding/is);
    const error = await device.pipelines.create(description).error;
    expect(error && textOf(error)).toMatch(/^KernelError: binding\.wgsl: .*binding/is);
  });

  test('an entry point that is missing', async () => {
    const text = await complaint(() => device.pipelines.createAsync(scaling('entry', { entryPoint: 'mian' })));
    expect(text).toMatch(/^KernelError: entry\.wgsl: .*mian/s);
  });

  test('a refused constant leaves the module’s other pipelines in place', async () => {
    const good = await device.pipelines.createAsync(scaling('sibling'));
    await complaint(() => device.pipelines.createAsync(scaling('sibling', { constants: { fctor: 1 } })));
    expect(device.pipelines.get(scaling('sibling'))).toBe(good);
  });
});
