import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Browser } from 'puppeteer';
import { showProgress, withPage } from '../src/node/commands/withPage.js';
import { cases } from './cases/index.js';
import { judgeGoals } from './goals.js';
import { pageOf } from './htmlPage.js';
import { installPeers } from './installPeers.js';
import { helpText, type Options, parseOptions, UsageError } from './options.js';
import { ratioChart } from './ratioChart.js';
import { jsonOf, type Measurements, type Report, type Request } from './report.js';
import { formatReport } from './table.js';

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
  if (options.peers.some((peer) => peer !== 'by-hand')) installPeers();
  const report = await measureInBrowser(options);
  console.log(formatReport(report));
  write(options.json, () => jsonOf(report));
  write(options.html, () => pageOf(report));
  write(options.svg, () => ratioChart(report));
  return report.failures.some(({ fatal }) => fatal) ? 1 : 0;
}

function write(file: string | undefined, content: () => string): void {
  if (file !== undefined) writeFileSync(resolve(process.env.INIT_CWD ?? '.', file), content());
}

function measureInBrowser(options: Options): Promise<Report> {
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
    await page.exposeFunction('tellProgress', showProgress);
    await page.exposeFunction('timeColdPage', () => timeColdPage(browser, new URL('cold.html', page.url()).href));
    const request: Request = {
      cases: options.cases,
      peers: options.peers,
      quick: options.quick,
      profile: options.profile,
    };
    const measured = (await page.evaluate((asked) => globalThis.measure(asked), request)) as Measurements;
    const { adapter, limits, cases: rows, failures, profiles } = measured;
    showProgress('');
    return {
      adapter,
      browser: await browser.version(),
      date: new Date().toISOString(),
      limits,
      cases: rows,
      goals: judgeGoals(rows, limits),
      failures,
      ...(options.profile ? { profiles } : {}),
    };
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
