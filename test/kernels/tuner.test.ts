import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import serialWgsl from '../../shaders/reduce/serial.wgsl';
import { lowering } from '../../src/graph/lowering.js';
import type { KernelOp } from '../../src/graph/op.js';
import { Tensor } from '../../src/graph/tensor.js';
import {
  argmax,
  compile,
  createEngine,
  cumulativeSum,
  type Engine,
  type EngineOptions,
  fit,
  grad,
  loadCheckpoint,
  loadTunerChoices,
  losses,
  matmul,
  mean,
  multiply,
  nn,
  optim,
  repeat,
  saveCheckpoint,
  softmax,
  sum,
  type TunerStore,
  tensor,
  transpose,
  tunerChoices,
} from '../../src/index.js';
import { complaint } from '../support/complaint.js';
import { useVariantsOf } from '../support/engine.js';
import '../support/matchers.js';
import { random } from '../support/random.js';

let warn: MockInstance<(text: string) => void>;
const engines: Engine[] = [];
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => {
  warn.mockRestore();
  for (const engine of engines.splice(0)) engine.destroy();
});

async function open(options: EngineOptions = {}): Promise<Engine> {
  const engine = (await createEngine({ tunerStore: storeOf(new Map()), ...options })).use();
  engines.push(engine);
  return engine;
}

const warnings = () => warn.mock.calls.map(([text]) => text);

/** Stands for the Cache API or a file; what counts is what it is asked to keep. */
function storeOf(texts: Map<string, string>): TunerStore {
  return {
    read: async (name) => texts.get(name),
    write: async (name, text) => {
      texts.set(name, text);
    },
  };
}

const input = (rows: number, columns: number) => {
  const { floats } = random(rows + columns);
  return { data: floats(rows * columns, (r) => r.normal()), shape: [rows, columns] };
};

const COMBINE = {
  right: 'return a + b;',
  wrong: 'return a;',
  broken: 'return a + missing(b);',
  idle: 'return a + b;',
};

/** A sum over rows with variants that are what their names say. */
function rowSum(x: Tensor, variants: readonly (keyof typeof COMBINE)[]): Tensor {
  const op: KernelOp = {
    name: 'rowSum',
    kind: 'kernel',
    access: ['fused'],
    lower: ({ node, inputs, choose }) => {
      const [source] = inputs as [Tensor];
      const [outputs = 0, count = 0] = source.shape;
      const reference = { variant: 'right' as const };
      const { variant } = choose({
        shapeClass: `rowSum ${variants.join()}`,
        variants: variants.map((name) => (name === 'right' ? reference : { variant: name })),
        reference,
      });
      return lowering({
        kernel: serialWgsl,
        variant,
        loads: { load_source: { tensor: source, extents: [outputs, count] } },
        stores: variant === 'idle' ? {} : { store_result: { tensor: node, extents: [outputs] } },
        uniforms: { outputs, count, chunks: 1, itemsPerChunk: count, gridWidth: outputs, identity: 0 },
        overrides: { WORKGROUP_SIZE: 1 },
        replace: { combine: `fn combine(a: Element, b: Element) -> Element { ${COMBINE[variant]} }` },
        workgroups: [outputs, 1, 1],
        flops: outputs * count,
      });
    },
  };
  return new Tensor(op, [x], x.shape.slice(0, 1), 'f32');
}

describe('a candidate', () => {
  test('that computes wrong results is discarded with a warning, though it is the static choice', async () => {
    await open({ tune: 'now' });
    const step = compile((x: Tensor) => rowSum(x, ['wrong', 'right']));
    const x = { data: new Float32Array([1, 2, 3, 4]), shape: [2, 2] };
    await step.prepare(x);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^tuner: the variant 'wrong' of 'rowSum wrong,right' computes wrong results here: element \d is -?\d, not -?\d; it is not used\.$/,
      ),
    ]);
    expect(step.explain(x)).toContain('(right, tuned)');
    expect(Array.from(await step(x).data())).toEqual([3, 7]);
  });

  test('that does nothing finds no right results of another to hide behind', async () => {
    await open({ tune: 'now' });
    const step = compile((x: Tensor) => rowSum(x, ['right', 'idle']));
    const x = input(2, 2);
    await step.prepare(x);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^tuner: the variant 'idle' of 'rowSum right,idle' computes wrong results here: element \d+ is not written; it is not used\.$/,
      ),
    ]);
    expect(step.explain(x)).toContain('(right, tuned)');
  });

  test('whose WGSL is invalid is discarded with a warning, and no GPU error is left behind', async () => {
    const engine = await open({ tune: 'now' });
    const step = compile((x: Tensor) => rowSum(x, ['right', 'broken']));
    const x = input(2, 2);
    await step.prepare(x);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^tuner: the variant 'broken' of 'rowSum right,broken' is invalid here: .*: unresolved call target 'missing'; it is not used\.$/,
      ),
    ]);
    expect(step.explain(x)).toContain('(right, tuned)');
    await engine.ready();
  });
});

/** Every op that has variants, in the layouts that a training step has. */
function everyOp(x: Tensor, y: Tensor, labels: Tensor) {
  const loss = losses.compSum(x, labels, { tau: 1.5 });
  return [
    matmul(x, y),
    matmul(transpose(x), transpose(y)),
    sum(x, { axes: -1 }),
    argmax(x, -1),
    cumulativeSum(x),
    softmax(x),
    loss,
    ...grad(loss, [x]),
  ];
}
const everyInput = () => [input(33, 33), input(33, 33), { data: new Int32Array(33).fill(7), shape: [33] }] as const;

describe.each(['gpu', 'plain'] as const)('the variants of a %s adapter', (kind) => {
  useVariantsOf(kind);

  test('agree with each other wherever tuning tries them', async () => {
    const step = compile(everyOp);
    await step.prepare(...everyInput(), { tune: 'now', tuningBudgetMs: 30_000 });
    expect(warnings()).toEqual([]);
    const text = step.explain(...everyInput());
    expect(text).not.toContain(', static)');
    expect(text.match(/, tuned\)/g)?.length).toBeGreaterThanOrEqual(7);
  });
});

describe('choices', () => {
  const step = () => compile((x: Tensor) => [sum(x, { axes: -1 }), softmax(x)] as const);
  const SUM = 'sum f32 outputs4 count1024';

  test('go from one engine to another as JSON, with the same bits', async () => {
    await open();
    loadTunerChoices({ ...tunerChoices(), choices: { [SUM]: 'serial' } });
    const x = input(4, 1000);
    const one = step();
    const bits = await Promise.all(one(x).map((t) => t.data()));
    expect(one.explain(x)).toContain('(serial, loaded)');
    const text = JSON.stringify(tunerChoices());
    // The static choice that the plan was made with is told too.
    expect(Object.keys(JSON.parse(text).choices)).toEqual(['softmax rows4 columns1024', SUM]);

    await open({ tune: 'now' });
    loadTunerChoices(JSON.parse(text));
    const other = step();
    await other.prepare(x);
    expect(other.explain(x)).toContain('(serial, loaded)');
    expect(other.explain(x)).not.toContain('static');
    expect(await Promise.all(other(x).map((t) => t.data()))).toEqual(bits);
  });

  test('are kept in the store and taken from it: cached never times', async () => {
    const texts = new Map<string, string>();
    const x = input(4, 1000);
    const first = await open({ tune: 'cached', tunerStore: storeOf(texts) });
    const untimed = step();
    await untimed.prepare(x);
    expect(untimed.explain(x)).toContain(', static)');
    expect([first.tuner.races, texts.size]).toEqual([0, 0]);

    const second = await open({ tune: 'now', tunerStore: storeOf(texts) });
    const timed = step();
    await timed.prepare(x);
    expect(timed.explain(x)).not.toContain(', static)');
    expect([second.tuner.races, texts.size]).toEqual([2, 1]);

    const third = await open({ tune: 'cached', tunerStore: storeOf(texts) });
    const cached = step();
    await cached.prepare(x);
    expect(cached.explain(x)).toBe(timed.explain(x).replaceAll(', tuned)', ', cached)'));
    expect(third.tuner.races).toBe(0);
    expect(tunerChoices()).toEqual(JSON.parse([...texts.values()][0] ?? ''));
    // 'off' looks at none of it.
    await cached.prepare(x, { tune: 'off' });
    expect(cached.explain(x)).not.toContain(', cached)');
  });

  test('belong to the plan: what has run keeps its kernels, and an unprepared call times nothing', async () => {
    const engine = await open({ tune: 'now' });
    const x = input(4, 1000);
    const run = step();
    const [before] = await Promise.all(run(x).map((t) => t.data()));
    await run.prepare(x);
    expect(run.explain(x)).toContain(', static)');
    expect(engine.tuner.races).toBe(0);
    loadTunerChoices({ ...tunerChoices(), choices: { [SUM]: 'workgroup of 64' } });
    expect(await run(x)[0].data()).toEqual(before);
  });

  test('make another plan of an eager graph too', async () => {
    const engine = await open();
    const { data, shape } = input(4, 1000);
    const x = tensor(data, { shape });
    const total = () => sum(x, { axes: -1 }).data();
    const pipelines = engine.device.pipelines;
    await total();
    const made = pipelines.pipelinesCreated;
    await total();
    expect(pipelines.pipelinesCreated).toBe(made);
    loadTunerChoices({ ...tunerChoices(), choices: { [SUM]: 'workgroup of 64' } });
    await total();
    expect(pipelines.pipelinesCreated).toBe(made + 1);
  });

  test('of a name that is not there fall back to the static one with a warning', async () => {
    await open();
    loadTunerChoices({ ...tunerChoices(), choices: { [SUM]: 'by magic' } });
    expect(step().explain(input(4, 1000))).not.toContain('loaded');
    expect(warnings()).toEqual([
      "tuner: there is no variant 'by magic' of 'sum f32 outputs4 count1024' here; the static choice runs.",
    ]);
  });

  test('of another adapter are not taken, with a warning', async () => {
    await open();
    const own = tunerChoices();
    loadTunerChoices({ library: own.library, adapter: 'abacus', choices: { [SUM]: 'serial' } });
    expect(warnings()).toEqual([
      `tuner: the kernel choices of loadTunerChoices are of 'abacus', version ${own.library}; this is '${own.adapter}', ` +
        `version ${own.library}, so they are not taken.`,
    ]);
    expect(tunerChoices()).toEqual(own);
  });

  test('go with a checkpoint', async () => {
    const x = input(4, 1000);
    await open();
    loadTunerChoices({ ...tunerChoices(), choices: { [SUM]: 'serial' } });
    step().explain(x);
    const choices = tunerChoices();
    const bytes = await saveCheckpoint({ model: nn.linear(2, 2) });

    await open({ tune: 'now' });
    loadCheckpoint(bytes, { model: nn.linear(2, 2) });
    expect(tunerChoices()).toEqual(choices);
    const resumed = step();
    await resumed.prepare(x);
    expect(resumed.explain(x)).toContain('(serial, loaded)');
    expect(warnings()).toEqual([]);
  });
});

describe('a store', () => {
  test.each([
    ['{"library":', 'they are no JSON.'],
    [
      '{"choices":{"a":1}}',
      'the kernel choices are not of the form { library, adapter, choices: { class: variant } }.',
    ],
  ])('that holds %s is ignored with a warning and rewritten', async (text, why) => {
    const texts = new Map<string, string>();
    await open({ tunerStore: { ...storeOf(texts), read: async () => text }, tune: 'cached' });
    expect(warnings()).toEqual([`tuner: the kept kernel choices are ignored and written anew: ${why}`]);
    expect([...texts.values()].map((kept) => JSON.parse(kept))).toEqual([{ ...tunerChoices(), choices: {} }]);
  });

  test('that refuses costs a warning each time, not the training', async () => {
    const refuse = () => Promise.reject(new Error('the disk is full'));
    await open({ tune: 'now', tunerStore: { read: refuse, write: refuse } });
    const step = compile((x: Tensor) => sum(x, { axes: -1 }));
    await step.prepare(input(4, 1000));
    expect(warnings()).toEqual([
      'tuner: kernel choices could not be read: the disk is full',
      'tuner: kernel choices could not be written: the disk is full',
    ]);
    expect(step.explain(input(4, 1000))).toContain(', tuned)');
  });
});

test('a budget that runs out leaves the rest to the static choices, says so, and keeps nothing half-tried', async () => {
  const texts = new Map<string, string>();
  const engine = await open({ tunerStore: storeOf(texts) });
  const step = compile((x: Tensor) => [softmax(x), mean(x)] as const);
  await step.prepare(input(40, 100), { tune: 'now', tuningBudgetMs: 1e-6 });
  expect(warnings()).toEqual([
    'tuner: the budget of 0.000001 ms ran out before 1 of 2 kernels; they run by their static choices. A later ' +
      'prepare goes on, a larger tuningBudgetMs goes on now.',
  ]);
  expect(engine.tuner.races).toBe(1);
  expect([...texts.values()].map((kept) => JSON.parse(kept).choices)).toEqual([{}]);
});

test('a step with a repeat takes its choices too, with the same results', async () => {
  const step = () => compile((x: Tensor) => repeat(3, (state) => softmax(multiply(100, state)), softmax(x)));
  const x = input(4, 1000);
  await open();
  const expected = await step()(x).data();
  const engine = await open();
  const tuned = step();
  await tuned.prepare(x, { tune: 'now' });
  expect(engine.tuner.races).toBe(1);
  expect(tuned.explain(x)).not.toContain(', static)');
  // Values are below 1 and each softmax rounds by a few 6e-8, which the factor 100 takes into the next.
  const { length } = expected;
  const total = await tuned(x).data();
  expect(Array.from({ length }, (_, i) => (total[i] ?? 0) - (expected[i] ?? 0))).toBeAllWithin(1e-5);
});

test('tuning gives its memory back', async () => {
  const engine = await open();
  const step = compile((x: Tensor) => softmax(x));
  const x = input(40, 100);
  await step.prepare(x);
  const { bytesInUse } = engine.device.buffers.statistics;
  await step.prepare(x, { tune: 'now' });
  expect(engine.tuner.races).toBe(1);
  expect(engine.device.buffers.statistics.bytesInUse).toBe(bytesInUse);
});

test('fit prepares its step, so that tuning works there too', async () => {
  const engine = await open({ tune: 'now' });
  const model = nn.linear(20, 3);
  const optimizer = optim.sgd(model.parameters(), { learningRate: 0.1 });
  const { data, shape } = input(8, 20);
  const dataset = { inputs: { data, shape }, labels: new Uint32Array(8) };
  await fit({ model, optimizer, loss: losses.crossEntropy }, dataset, { batchSize: 4 });
  expect(Object.keys(tunerChoices().choices).join()).toContain('matmul');
  expect(engine.tuner.races).toBeGreaterThan(1);
});

test('the first step is timed from init to its end on the GPU', async () => {
  const engine = await open();
  const step = compile((x: Tensor) => sum(x));
  await step.prepare(input(3, 3));
  expect(engine.firstStepMs).toBeUndefined();
  await step(input(3, 3)).item();
  await vi.waitFor(() => expect(engine.firstStepMs).toBeGreaterThan(0));
  const { firstStepMs } = engine;
  await step(input(3, 3)).item();
  expect(engine.firstStepMs).toBe(firstStepMs);
});

test('wrong options are errors that say what may be', async () => {
  expect(await complaint(() => createEngine({ tune: 'fast' as never }))).toBe(
    "ValueError: init: tune is 'fast'; it must be one of off, cached, now.",
  );
  expect(await complaint(() => createEngine({ tune: 'cache' as never }))).toBe(
    "ValueError: init: tune is 'cache'; it must be one of off, cached, now. Did you mean 'cached'?",
  );
  expect(await complaint(() => createEngine({ tuningBudgetMs: 0 }))).toBe(
    'ValueError: init: tuningBudgetMs is 0; it must be a number above 0.',
  );
  await open();
  const step = compile((x: Tensor) => sum(x), { name: 'train' });
  const x = input(3, 3);
  expect(await complaint(() => step.prepare(x, { tune: 'never' as never }))).toBe(
    "ValueError: train: tune is 'never'; it must be one of off, cached, now.",
  );
  expect(await complaint(() => step.prepare(x, { tune: 'now', tuningBudget: 1 } as never))).toBe(
    "ValueError: train.prepare: unknown option 'tuningBudget'. Did you mean 'tuningBudgetMs'?",
  );
  expect(await complaint(() => loadTunerChoices({ library: '0.1.0' } as never))).toBe(
    'ValueError: loadTunerChoices: the kernel choices are not of the form { library, adapter, choices: { class: variant } }.\n' +
      '  Mend: give what tunerChoices() returned.',
  );
});
