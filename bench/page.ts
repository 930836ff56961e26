import { init, measureLimits } from '../src/index.js';
import type { Libraries, PeerName } from './case.js';
import { cases } from './cases/index.js';
import { type Engines, QUICK, runCase, THOROUGH, wording } from './harness.js';
import type { Failure, Limits, Measurements, Profile, Request, Row } from './report.js';

declare global {
  /** Called by the terminal's side. */
  var measure: (request: Request) => Promise<void>;
  /** Put here by the terminal's side, as are the next two. */
  var tellProgress: (text: string) => Promise<void>;
  /** Takes all that was measured so far, after each case. */
  var tellMeasured: (measurements: Measurements) => Promise<void>;
  /** The ms from `init` to the first finished step in a page and context of its own. */
  var timeColdPage: () => Promise<number>;
}

globalThis.measure = async ({ cases: names, peers, quick, profile }) => {
  const failures: Failure[] = [];
  const rows: Row[] = [];
  const profiles: Profile[] = [];
  const progress = (text: string) => void globalThis.tellProgress(text);
  const { device } = await init();
  // Only what was asked for is imported: without peers nothing needs to be installed.
  const loaders: { readonly [P in PeerName]: () => Promise<Libraries[P]> } = {
    plain: async () => null,
    'by-hand': async () => (await import('./peers/byHand/handGpu.js')).openByHand(),
    'jax-js': async () => (await import('./peers/jaxJs.js')).loadJaxJs(),
    tfjs: async () => (await import('./peers/tfjs.js')).loadTfjs(),
  };
  const libraries: Partial<Record<PeerName, Libraries[PeerName]>> = {};
  for (const peer of peers) {
    progress(`starting ${peer}`);
    try {
      libraries[peer] = await loaders[peer]();
    } catch (error) {
      failures.push({ engine: peer, message: wording(error), fatal: false });
    }
  }
  const engines: Engines = { peers: libraries as Partial<Libraries>, profiled: profile };
  progress('limits');
  await measureLimits();
  for (const one of cases) {
    if (!names.includes(one.name)) continue;
    const outcome = await runCase(one, engines, quick ? QUICK : THOROUGH, (text) => progress(`${one.name}: ${text}`));
    rows.push(...outcome.rows);
    failures.push(...outcome.failures);
    if (outcome.profile !== undefined) profiles.push(outcome.profile);
    progress('limits');
    const { fmaGflops, copyGbps } = await measureLimits();
    const limits = { fma_gflops: fmaGflops, copy_gbps: copyGbps };
    const shown = rows.map((row) => withShare(row, limits));
    await globalThis.tellMeasured({ adapter: device.facts.name, limits, cases: shown, failures, profiles });
  }
};

function withShare(row: Row, limits: Limits): Row {
  if (row.gflops !== undefined) return { ...row, share_of_limit: row.gflops / limits.fma_gflops };
  return row.gbps === undefined ? row : { ...row, share_of_limit: row.gbps / limits.copy_gbps };
}
