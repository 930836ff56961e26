import { decodeDataset, type ImageDataset, init } from '../src/index.js';
import type { Bench, Trial } from './experiment.js';
import { experiments } from './index.js';

/** What the command's side asks of the page. */
export interface Laboratory {
  /** @returns the adapter's name. */
  readonly open: (name: string, settings: object) => Promise<string>;
  readonly run: (trial: Trial, results: readonly (readonly [key: string, found: object])[]) => Promise<object>;
}

declare global {
  var laboratory: Laboratory;
}

let bench: Bench | undefined;
let loaded: Promise<ImageDataset> | undefined;

globalThis.laboratory = {
  open: (name, settings) => {
    bench = experiments.find((one) => one.name === name)?.open(settings, digits);
    return onNewEngine(async (adapter) => adapter);
  },
  run: (trial, results) =>
    onNewEngine(async () => {
      if (bench === undefined) throw new Error('no experiment is open');
      return bench.run(trial, new Map(results));
    }),
};

/** An engine of its own leaves nothing to a trial from those before it, nor anything behind. */
async function onNewEngine<T>(body: (adapter: string) => Promise<T>): Promise<T> {
  const engine = await init();
  try {
    return await body(engine.device.facts.name);
  } finally {
    engine.destroy();
  }
}

/** The digits that the command serves; loaded when first asked for. */
function digits(): Promise<ImageDataset> {
  loaded ??= (async () => {
    const response = await fetch('/data/digits.safetensors');
    if (!response.ok) throw new Error(await response.text());
    return decodeDataset(await response.arrayBuffer(), { name: 'digits' });
  })();
  return loaded;
}
