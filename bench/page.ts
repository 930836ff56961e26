import { init } from '../src/index.js';
import type { PeerName } from './case.js';
import { cases } from './cases/index.js';
import { type Engines, QUICK, runCase, THOROUGH, wording } from './harness.js';
import { LimitProbe } from './limits.js';
import type { Failure, Measurements, Profile, Request, Row } from './report.js';

declare global {
  /** Called by the terminal's side. */
  var measure: (request: Request) => Promise<Measurements>;
  /** Put here by the terminal's side. */
  var tellProgress: (text: string) => Promise<void>;
}

globalThis.measure = async ({ cases: names, peers, quick, profile }) => {
  const failures: Failure[] = [];
  const rows: Row[] = [];
  const profiles: Profile[] = [];
  const progress = (text: string) => void globalThis.tellProgress(text);
  const probe = await LimitProbe.open();
  const { device } = await init();
  const load = async <T>(engine: PeerName, loader: () => Promise<T>): Promise<T | undefined> => {
    if (!peers.includes(engine)) return undefined;
    progress(`starting ${engine}`);
    try {
      return await loader();
    } catch (error) {
      failures.push({ engine, message: wording(error), fatal: false });
      return undefined;
    }
  };
  // Only what was asked for is imported: without peers nothing needs to be installed.
  const jaxJs = await load('jax-js', async () => (await import('./peers/jaxJs.js')).loadJaxJs());
  const tfjs = await load('tfjs', async () => (await import('./peers/tfjs.js')).loadTfjs());
  const engines: Engines = {
    ...(jaxJs === undefined ? {} : { jaxJs }),
    ...(tfjs === undefined ? {} : { tfjs }),
    ...(profile ? { profiled: device.gpu } : {}),
  };
  for (const one of cases) {
    if (!names.includes(one.name)) continue;
    progress('limits');
    await probe.measure();
    const outcome = await runCase(one, engines, quick ? QUICK : THOROUGH, (text) => progress(`${one.name}: ${text}`));
    rows.push(...outcome.rows);
    failures.push(...outcome.failures);
    if (outcome.profile !== undefined) profiles.push(outcome.profile);
  }
  progress('limits');
  await probe.measure();
  const { limits } = probe;
  const withShares = rows.map((row) => {
    if (row.gflops !== undefined) return { ...row, share_of_limit: row.gflops / limits.fma_gflops };
    return row.gbps === undefined ? row : { ...row, share_of_limit: row.gbps / limits.copy_gbps };
  });
  return { adapter: device.facts.name, limits, cases: withShares, failures, profiles };
};
