import { resolve } from 'node:path';
import type { Browser } from 'puppeteer';
import { showProgress, withPage } from '../src/node/commands/withPage.js';
import { writeFileAtomically } from '../src/node/commands/writeFileAtomically.js';
import { cases } from './cases/index.js';
import { judgeGoals } from './goals.js';
import { pageOf } from './htmlPage.js';
import { installPeers } from './installPeers.js';
import { helpText, type Options, parseOptions, UsageError } from './options.js';
import { ratioChart } from './ratioChart.js';
import { jsonOf, type Measurements, type Report, type Request } from './report.js';
import { formatClosing, Table } from './table.js';

async function main(): Promise<number> {
  const names = cases.map(({ name }) => name);
  const options = parseOptions(
    process.argv.slice(2),
    names,
    cases.filter(({ large }) => large).map(({ name }) => name),
  );
  if (options.help) {
    console.log(helpText(names));
    return 0;
  }
  if (options.peers.some((peer) => peer === 'jax-js' || peer === 'tfjs')) installPeers();
  const table = new Table(options.cases, options.peers);
  let latest: Report | undefined;
  // However the run ends, by Ctrl-C too.
  process.once('exit', () => {
    if (latest !== undefined) console.log(formatClosing(latest));
  });
  await measureInBrowser(options, async (report) => {
    showProgress('');
    if (latest === undefined) console.log(table.head);
    const fresh = report.cases.slice(latest?.cases.length);
    if (fresh.length > 0) console.log(table.lines(fresh));
    latest = report;
    // After each case, so that a run that is cut off keeps what it measured.
    await write(options.json, () => jsonOf(report));
    await write(options.html, () => pageOf(report));
    await write(options.svg, () => ratioChart(report));
  });
  return latest?.failures.some(({ fatal }) => fatal) ? 1 : 0;
}

async function write(file: string | undefined, content: () => string): Promise<void> {
  if (file !== undefined) await writeFileAtomically(resolve(process.env.INIT_CWD ?? '.', file), content());
}

/** @param tell takes the report so far, after each case. */
function measureInBrowser(options: Options, tell: (report: Report) => Promise<void>): Promise<void> {
  const launch = {
    browser: options.browser,
    adapter: options.adapter,
    flags: [
      // What a step leaves to the garbage collector is measured.
      '--enable-precise-memory-info',
      '--js-flags=--expose-gc',
      // Without it, Chrome rounds timestamps to 0.1 ms.
      ...(options.profile ? ['--enable-webgpu-developer-features'] : []),
    ],
  };
  return withPage('bench/page.html', 'measure', launch, async (page, { browser, description }) => {
    console.log(description);
    const date = new Date().toISOString();
    const version = await browser.version();
    await page.exposeFunction('tellProgress', showProgress);
    await page.exposeFunction('timeColdPage', () => timeColdPage(browser, new URL('cold.html', page.url()).href));
    await page.exposeFunction('tellMeasured', ({ adapter, limits, cases: rows, failures, profiles }: Measurements) =>
      tell({
        adapter,
        browser: version,
        date,
        limits,
        cases: rows,
        goals: judgeGoals(rows, limits),
        failures,
        ...(options.profile ? { profiles } : {}),
      }),
    );
    const request: Request = {
      cases: options.cases,
      peers: options.peers,
      quick: options.quick,
      profile: options.profile,
    };
    await page.evaluate((asked) => globalThis.measure(asked), request);
  });
}

/** A context has caches of its own, so nothing of the page has been compiled before. */
async function timeColdPage(browser: Browser, url: string): Promise<number> {
  const context = await browser.createBrowserContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForFunction('globalThis.timeFirstStep !== undefined', { timeout: 60_000 });
    return await page.evaluate(() => globalThis.timeFirstStep());
  } finally {
    await context.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  showProgress('');
  if (error instanceof UsageError) {
    console.error(`bench: ${error.message}`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}
