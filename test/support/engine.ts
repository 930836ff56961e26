import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { Engine, type EngineOptions } from '../../src/graph/engine.js';
import { first } from '../../src/kernels/variants.js';

/** NaN as f32, and no number that a test waits for as an integer. */
const STALE = new Uint32Array(2 ** 18).fill(0x7fc05a5a);

/**
 * An engine whose pool lends buffers full of NaN. They would hold what was freed last: often the very result that a test
 * compares with, so that a kernel that wrote nothing would pass.
 */
async function createEngine(options: EngineOptions): Promise<Engine> {
  const engine = await Engine.create(options);
  const { buffers, queue } = engine.device;
  const acquire = buffers.acquire.bind(buffers);
  buffers.acquire = (bytes, label) => {
    const pooled = acquire(bytes, label);
    for (let from = 0; from < pooled.capacity; from += STALE.byteLength) {
      queue.writeBuffer(pooled.buffer, from, STALE, 0, Math.min(STALE.byteLength, pooled.capacity - from) / 4);
    }
    return pooled;
  };
  return engine;
}

const engines = new Map<string, Promise<Engine>>();

/** One engine for each set of options, shared by all files of the page; a lost one makes room for another. */
function shared(options: EngineOptions): Promise<Engine> {
  const key = JSON.stringify(options);
  let engine = engines.get(key);
  if (engine === undefined) {
    engine = createEngine(options);
    engines.set(key, engine);
    void engine.then(({ device }) => device.gpu.lost.then(() => engines.delete(key)));
  }
  return engine;
}

/**
 * Makes an engine the current one for every test of the file, and fails a test that left a GPU error behind.
 * @returns a function that gives the engine, inside tests.
 */
export function useEngine(options: EngineOptions = {}): () => Engine {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await shared(options);
  });
  beforeEach(async () => {
    // An earlier file may have lost it.
    engine = (await shared(options)).use();
  });
  afterEach(async () => {
    engine?.use();
    await engine?.ready();
  });
  return () => {
    if (engine === undefined) throw new Error('useEngine: there is an engine inside tests only');
    return engine;
  };
}

/** The engine that every test uses, and one of the file's own that fuses nothing, to compare with. */
export function useEngineAndUnfused(): { readonly fused: () => Engine; readonly unfused: () => Engine } {
  const fused = useEngine();
  let unfused: Engine | undefined;
  beforeAll(async () => {
    unfused = await createEngine({ fusion: false });
    fused().use();
  });
  afterAll(() => unfused?.destroy());
  return { fused, unfused: () => unfused as Engine };
}

/** An engine of the file's own, destroyed at its end: for counts and limits that others would disturb. */
export function useOwnEngine(options: EngineOptions = {}): () => Engine {
  let engine: Engine | undefined;
  beforeAll(async () => {
    engine = await createEngine(options);
  });
  beforeEach(() => {
    engine?.use();
  });
  afterEach(async () => {
    engine?.use();
    await engine?.ready();
  });
  afterAll(() => engine?.destroy());
  return () => {
    if (engine === undefined) throw new Error('useOwnEngine: there is an engine inside tests only');
    return engine;
  };
}

/**
 * An engine of the file's own that chooses kernels as on another kind of adapter: every variant must be right
 * wherever it runs. 'gpu' takes blocks in workgroup memory and workgroups a row, 'plain' a software adapter
 * without subgroups, 'second' and 'last' what a tuner may choose instead of the static variants.
 */
export function useVariantsOf(kind: 'gpu' | 'plain' | 'second' | 'last'): () => Engine {
  const engine = useOwnEngine(kind === 'plain' ? { withoutFeatures: ['subgroups'] } : {});
  beforeAll(() => {
    const { device, tuner } = engine();
    const facts = { ...device.facts, software: false, subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrices: [] };
    if (kind === 'gpu') Object.defineProperty(device, 'facts', { value: facts });
    if (kind === 'gpu' || kind === 'plain') return;
    tuner.choose = ({ variants }) => {
      const variant = kind === 'last' ? variants.at(-1) : variants[1];
      return { variant: variant ?? first(variants), origin: 'tuned' };
    };
  });
  return engine;
}
