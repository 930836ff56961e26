import { compile, matmul, profile, type Tensor, tensor } from '../../../src/index.js';
import { type Contender, defineCase, type Figure } from '../../case.js';
import { HandBuffers } from '../../peers/byHand/buffers.js';
import { handDispatches, submitDispatches } from '../../peers/byHand/dispatch.js';
import { product } from '../../peers/byHand/kernels.js';
import { symmetric, uniform } from '../../random.js';

const DISPATCHES = 64;
const RUNS = 32;

/** µs of a run, or of a part of it, host and GPU together: many runs and one wait. */
const time = (parts: number): Figure => ({
  unit: 'us',
  of: async ({ run, settle }: Contender) => {
    const start = performance.now();
    for (let i = 0; i < RUNS; i++) run();
    await settle();
    return (1000 * (performance.now() - start)) / (RUNS * parts);
  },
});

interface Rotation {
  /** [4, 4] */
  readonly start: Float32Array<ArrayBuffer>;
  /** [4, 4]: turns two planes by an angle, so that however often it multiplies, nothing grows or fades. */
  readonly turn: Float32Array<ArrayBuffer>;
  readonly angle: number;
}

/** A dispatch that does next to nothing: products of 4 x 4, each of the one before, so that none fuse. */
export const dispatchOverhead = defineCase<Rotation>({
  name: 'overhead/dispatch',
  figure: time(DISPATCHES),
  repeatable: true,
  inputs: (seed) => {
    const angle = uniform(seed + 1)();
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const turn = new Float32Array([c, s, 0, 0, -s, c, 0, 0, 0, 0, c, s, 0, 0, -s, c]);
    return { start: symmetric(16, 1, seed + 1), turn, angle };
  },
  reference: ({ start, angle }) => {
    const [c, s] = [Math.cos(DISPATCHES * angle), Math.sin(DISPATCHES * angle)];
    const values = Float64Array.from(start, (value, i) =>
      i % 2 === 0 ? c * value - s * (start[i + 1] ?? 0) : s * (start[i - 1] ?? 0) + c * value,
    );
    return { turned: { values } };
  },
  tolerance: () => ({ largest: 64 * 4 * 2 ** -24, why: 'four roundings in each of 64 products' }),
  ours: async ({ start, turn }) => {
    const x = tensor(start, { shape: [4, 4] });
    const factor = tensor(turn, { shape: [4, 4] });
    const step = compile(
      () => {
        let turned: Tensor = x;
        for (let i = 0; i < DISPATCHES; i++) turned = matmul(turned, factor);
        return turned;
      },
      { name: 'turn' },
    );
    await step.prepare();
    let turned = step();
    return {
      run: () => {
        turned = step();
      },
      settle: async () => {
        await turned.data();
      },
      results: async () => ({ turned: (await turned.data()) as Float32Array }),
      explain: () => step.explain(),
      profile: () => profile(step),
      dispose: () => {
        step.dispose();
        for (const each of [x, factor]) each.dispose();
      },
    };
  },
  peers: {
    'by-hand': async (device, { start, turn }) => {
      const { gpu } = device;
      const buffers = new HandBuffers(gpu);
      const factor = buffers.of(turn);
      const [first, ...turned] = [buffers.of(start), buffers.empty(16), buffers.empty(16)] as const;
      const kernels = Array.from({ length: DISPATCHES }, (_, i) =>
        product(device, {
          rows: 4,
          inner: 4,
          columns: 4,
          a: { buffer: i === 0 ? first : (turned[(i + 1) % 2] as GPUBuffer) },
          b: { buffer: factor },
          store: {
            code: `fn store_result(batch: u32, row: u32, column: u32, value: f32) {
              result[row * sizes.columns + column] = value;
            }`,
            buffers: { result: turned[i % 2] as GPUBuffer },
          },
        }),
      );
      const dispatches = await handDispatches(gpu, kernels);
      const last = turned[(DISPATCHES - 1) % 2] as GPUBuffer;
      return {
        run: () => submitDispatches(gpu, dispatches),
        settle: async () => {
          await buffers.corner(last);
        },
        results: async () => ({ turned: await buffers.read(last) }),
        dispose: () => buffers.destroy(),
      };
    },
  },
});

/** A step that hands its input back: a copy in, a copy out, a submit. */
export const emptyStep = defineCase<Float32Array<ArrayBuffer>>({
  name: 'overhead/empty-step',
  figure: time(1),
  repeatable: true,
  inputs: (seed) => symmetric(1, 1, seed + 1),
  reference: (given) => ({ given: { values: given } }),
  tolerance: () => ({ largest: 0, why: 'a copy' }),
  ours: async (given) => {
    const x = tensor(given);
    const step = compile((input: Tensor) => input, { name: 'empty' });
    await step.prepare(x);
    let output = step(x);
    return {
      run: () => {
        output = step(x);
      },
      settle: async () => {
        await output.data();
      },
      results: async () => ({ given: (await output.data()) as Float32Array }),
      explain: () => step.explain(x),
      profile: () => profile(step, x),
      dispose: () => {
        step.dispose();
        x.dispose();
      },
    };
  },
  peers: {
    'by-hand': async ({ gpu }, given) => {
      const buffers = new HandBuffers(gpu);
      const [from, placeholder, to] = [buffers.of(given), buffers.empty(1), buffers.empty(1)];
      return {
        run: () => {
          const encoder = gpu.createCommandEncoder();
          encoder.copyBufferToBuffer(from, 0, placeholder, 0, 4);
          encoder.copyBufferToBuffer(placeholder, 0, to, 0, 4);
          gpu.queue.submit([encoder.finish()]);
        },
        settle: async () => {
          await buffers.corner(to);
        },
        results: async () => ({ given: await buffers.read(to) }),
        dispose: () => buffers.destroy(),
      };
    },
  },
});
