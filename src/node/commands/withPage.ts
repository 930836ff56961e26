import { fileURLToPath } from 'node:url';
import type { Page } from 'puppeteer';
import { createServer, type Plugin } from 'vite';
import { type BrowserOptions, type LaunchedBrowser, launchBrowser } from '../browser.js';
import { wgsl } from '../wgsl/wgsl.js';
import { PageError } from './pageError.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** A page is loaded from this machine; a busy one takes its time. */
const LOAD_TIMEOUT = 120_000;
/** As shells have it: 128 and the signal's number. */
const INTERRUPTED = 130;

/**
 * Opens a page of the sources as they are, in a Chrome of our own, for as long as `body` runs.
 *
 * @param path of the page's HTML, from the repository's root.
 * @param ready a name that the page defines once it can be talked to.
 * @param plugins of the server, besides the one for WGSL.
 * @throws PageError when page or browser end before `body` does.
 */
export async function withPage<T>(
  path: string,
  ready: string,
  options: BrowserOptions,
  body: (page: Page, launched: LaunchedBrowser) => Promise<T>,
  plugins: readonly Plugin[] = [],
): Promise<T> {
  const server = await createServer({
    configFile: false,
    root: REPOSITORY,
    logLevel: 'error',
    plugins: [wgsl(), ...plugins],
    optimizeDeps: { noDiscovery: true },
    server: {
      hmr: false,
      watch: null,
      // A cross-origin isolated page has a finer clock.
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
  });
  // An exit in due form: the browser ends with it.
  const stop = () => process.exit(INTERRUPTED);
  process.once('SIGINT', stop);
  try {
    await server.listen();
    const launched = await launchBrowser(options);
    try {
      const page = await launched.browser.newPage();
      const broken = new Promise<never>((_, reject) => {
        page.on('error', () => reject(new PageError('the page crashed.')));
        launched.browser.on('disconnected', () => reject(new PageError('the browser ended.')));
      });
      broken.catch(() => undefined);
      page.on('pageerror', (error) => console.warn(`page: ${error instanceof Error ? error.message : String(error)}`));
      page.on('console', (message) => {
        if (message.type() === 'error') console.warn(`page: ${message.text()}`);
      });
      const talk = async () => {
        await page.goto(`${server.resolvedUrls?.local[0]}${path}`, { timeout: LOAD_TIMEOUT });
        await page.waitForFunction(`globalThis.${ready} !== undefined`, { timeout: LOAD_TIMEOUT });
        return body(page, launched);
      };
      return await Promise.race([talk(), broken]);
    } finally {
      await launched.browser.close();
    }
  } finally {
    process.off('SIGINT', stop);
    await server.close();
  }
}

/** One line on stderr that is written over; nothing where nobody watches. */
export function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
