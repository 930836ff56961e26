import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

// One GPU a process: a second create() crashes Dawn, and this file runs once for each test file.
const shared = globalThis as { cotangentGpu?: GPU };
if (shared.cotangentGpu === undefined) {
  const require = createRequire(fileURLToPath(import.meta.url));
  const { create, globals } = (await import(pathToFileURL(require.resolve('webgpu')).href)) as {
    create: (flags: string[]) => GPU;
    globals: object;
  };
  Object.assign(globalThis, globals);
  // Experimental features too, for the kernels that use one.
  shared.cotangentGpu = create(['enable-dawn-features=allow_unsafe_apis']);
  Object.defineProperty(globalThis.navigator ?? {}, 'gpu', { value: shared.cotangentGpu, configurable: true });
  if (globalThis.navigator === undefined) {
    // Node 20 has no navigator.
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: shared.cotangentGpu }, configurable: true });
  }
}
