import { afterEach, describe, expect, test, vi } from 'vitest';
import { Device, type DeviceOptions, SUBGROUP_MATRIX } from '../../src/device/device.js';
import { complaint } from '../support/complaint.js';

const opened: Device[] = [];

async function open(options?: DeviceOptions): Promise<Device> {
  const device = await Device.open(options);
  opened.push(device);
  return device;
}

afterEach(() => {
  for (const device of opened.splice(0)) device.destroy();
  vi.unstubAllGlobals();
});

/** An adapter that no browser here can produce. */
function adapterOf(info: Partial<GPUAdapterInfo>, device?: Promise<GPUDevice>): GPUAdapter {
  const full = { vendor: '', architecture: '', device: '', description: '', ...info };
  return { info: full, features: new Set(), limits: {}, requestDevice: () => device } as unknown as GPUAdapter;
}

function gpuOf(adapter: GPUAdapter | null | Error): GPU {
  const requestAdapter = (): Promise<GPUAdapter | null> =>
    adapter instanceof Error ? Promise.reject(adapter) : Promise.resolve(adapter);
  return { requestAdapter } as unknown as GPU;
}

describe('no WebGPU', () => {
  test('a browser without it', async () => {
    vi.stubGlobal('navigator', {});
    expect(await complaint(() => Device.open())).toBe(
      'NoWebGPUError: init: this browser has no WebGPU (navigator.gpu is undefined).\n' +
        '  Mend: use Chrome or Edge 113, Safari 26 or Firefox 141 or later, on a system where WebGPU is on; ' +
        'in Node, pass the gpu option from the webgpu package.',
    );
  });

  test('no adapter', async () => {
    expect(await complaint(() => Device.open({ gpu: gpuOf(null) }))).toBe(
      'NoWebGPUError: init: the browser has WebGPU but found no adapter for it.\n' +
        "  Mend: turn on the browser's hardware acceleration and update the GPU driver; " +
        'chrome://gpu tells what is blocked.',
    );
  });

  test('a search that fails', async () => {
    expect(await complaint(() => Device.open({ gpu: gpuOf(new Error('the GPU process is gone')) }))).toBe(
      'NoWebGPUError: init: the browser failed to look for an adapter: the GPU process is gone\n' +
        '  Mend: reload the page, or restart the browser.',
    );
  });

  test('an adapter that gives no device', async () => {
    const gpu = gpuOf(adapterOf({ description: 'Tired GPU' }, Promise.reject(new Error('too many devices'))));
    expect(await complaint(() => Device.open({ gpu }))).toBe(
      'NoWebGPUError: init: adapter Tired GPU gave no device: too many devices\n' +
        '  Mend: reload the page; if it happens again, restart the browser and update the GPU driver.',
    );
  });

  test.each<[string, Partial<GPUAdapterInfo>]>([
    ['google swiftshader', { vendor: 'google', architecture: 'swiftshader' }],
    ['microsoft warp', { vendor: 'microsoft', architecture: 'warp' }],
    ['Microsoft Basic Render Driver', { description: 'Microsoft Basic Render Driver' }],
    ['llvmpipe (LLVM 15.0.6, 256 bits)', { description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }],
    ['unnamed', { isFallbackAdapter: true }],
  ])('hardware wanted, only %s there', async (name, info) => {
    expect(await complaint(() => Device.open({ adapter: 'hardware', gpu: gpuOf(adapterOf(info)) }))).toBe(
      `NoWebGPUError: init: only a software adapter was found (${name}), and hardware was asked for.\n` +
        "  Mend: turn on the browser's hardware acceleration and update the GPU driver, or take adapter: 'auto'.",
    );
  });

  test.each([
    ['nothing', null],
    ['a real GPU', adapterOf({ vendor: 'nvidia', architecture: 'ampere', description: 'Warped Speed 3090' })],
  ])('software wanted, %s there', async (_, adapter) => {
    expect(await complaint(() => Device.open({ adapter: 'software', gpu: gpuOf(adapter) }))).toBe(
      'NoWebGPUError: init: this browser has no software adapter.\n' +
        "  Mend: take adapter: 'auto', or start Chrome with " +
        '--use-webgpu-adapter=swiftshader --enable-unsafe-webgpu.',
    );
  });
});

describe('an open device', () => {
  test('tells what its adapter is', async () => {
    const { facts, features } = await open();
    expect(facts.name).not.toBe('');
    expect(facts.features).toEqual([...facts.features].sort());
    for (const name of features) expect(facts.features).toContain(name);
    expect(facts.subgroupMinSize !== undefined).toBe(facts.features.includes('subgroups'));
    if (facts.subgroupMinSize !== undefined) {
      expect(facts.subgroupMaxSize).toBeGreaterThanOrEqual(facts.subgroupMinSize);
    }
  });

  test('has the features that kernels use, as far as the adapter has them', async () => {
    const { facts, features } = await open();
    for (const name of ['timestamp-query', 'subgroups', 'shader-f16', SUBGROUP_MATRIX]) {
      expect(features.has(name), name).toBe(facts.features.includes(name));
    }
  });

  test('leaves out features when told', async () => {
    const { features } = await open({ withoutFeatures: ['subgroups', 'timestamp-query'] });
    expect(features.has('subgroups')).toBe(false);
    expect(features.has('timestamp-query')).toBe(false);
  });

  test('takes the adapter’s limits for sizes, but 8 storage buffers', async () => {
    const device = await open();
    const adapter = await navigator.gpu.requestAdapter();
    expect(device.limits.maxBufferSize).toBe(adapter?.limits.maxBufferSize);
    expect(device.limits.maxStorageBufferBindingSize).toBe(adapter?.limits.maxStorageBufferBindingSize);
    expect(device.limits.maxComputeInvocationsPerWorkgroup).toBe(adapter?.limits.maxComputeInvocationsPerWorkgroup);
    expect(device.limits.maxStorageBuffersPerShaderStage).toBe(8);
  });

  test('takes the default limits when told', async () => {
    const { limits } = await open({ limits: 'default' });
    expect(limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    expect(limits.maxBufferSize).toBe(256 * 2 ** 20);
    expect(limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  });

  test('two live side by side', async () => {
    const [first, second] = await Promise.all([open(), open()]);
    first.destroy();
    expect(first.isLost).toBe(true);
    expect(second.isLost).toBe(false);
    await second.readback.fence();
  });
});
