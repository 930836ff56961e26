import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'puppeteer';
import { createServer, type ViteDevServer } from 'vite';
import { launchBrowser } from '../src/node/browser.js';
import { wgsl } from '../src/node/wgsl/wgsl.js';
import { cases } from './cases/index.js';
import { judgeGoals } from './goals.js';
import { pageOf } from './htmlPage.js';
import { installPeers } from './installPeers.js';
import { helpText, type Options, parseOptions, UsageError } from './options.js';
import { ratioChart } from './ratioChart.js';
import { jsonOf, type Measurements, type Report, type Request } from './report.js';
import { formatReport } from './table.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

async function main(): Promise<number> {
  const names = cases.map(({ name }) => name);
  const options = parseOptions(process.argv.slice(2), names);
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

async function measureInBrowser(options: Options): Promise<Report> {
  const server = await serve();
  try {
    const { browser, description } = await launchBrowser({
      browser: options.browser,
      adapter: options.adapter,
      flags: [
        // What a step leaves to the garbage collector is measured.
        '--enable-precise-memory-info',
        '--js-flags=--expose-gc',
        // Without it, Chrome rounds timestamps to 0.1 ms.
        ...(options.profile ? ['--enable-webgpu-developer-features'] : []),
      ],
    });
    try {
      console.log(description);
      const page = await browser.newPage();
      const broken = new Promise<never>((_, reject) => {
        page.on('error', reject);
        browser.on('disconnected', () => reject(new Error('the browser was closed.')));
      });
      broken.catch(() => undefined);
      page.on('pageerror', (error) => console.warn(`page: ${error instanceof Error ? error.message : String(error)}`));
      page.on('console', (message) => {
        if (message.type() === 'error') console.warn(`page: ${message.text()}`);
      });
      const folder = `${server.resolvedUrls?.local[0]}bench/`;
      await page.exposeFunction('tellProgress', showProgress);
      await page.exposeFunction('timeColdPage', () => timeColdPage(browser, `${folder}cold.html`));
      await page.goto(`${folder}page.html`);
      await Promise.race([page.waitForFunction('globalThis.measure !== undefined', { timeout: 60_000 }), broken]);
      const request: Request = {
        cases: options.cases,
        peers: options.peers,
        quick: options.quick,
        profile: options.profile,
      };
      const measuring = page.evaluate((asked) => globalThis.measure(asked), request) as Promise<Measurements>;
      const { adapter, limits, cases: rows, failures, profiles } = await Promise.race([measuring, broken]);
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
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
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

/** Serves the sources as they are; a cross-origin isolated page has a finer clock. */
async function serve(): Promise<ViteDevServer> {
  const server = await createServer({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    plugins: [wgsl()],
    optimizeDeps: { noDiscovery: true },
    server: {
      hmr: false,
      watch: null,
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
  });
  return server.listen();
}

/** One line that is written over; nothing where nobody watches. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
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
