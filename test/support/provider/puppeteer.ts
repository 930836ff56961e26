import { defineBrowserProvider } from '@vitest/browser';
import type { CDPSession, Page } from 'puppeteer';
import type { BrowserProvider, BrowserProviderOption, TestProject } from 'vitest/node';
import { type BrowserOptions, type LaunchedBrowser, launchBrowser } from '../../../src/node/browser.js';
import { watchPage } from './watchdog.js';

export interface PuppeteerOptions extends BrowserOptions {
  /** A page that has not answered for so long, in an endless loop say, is closed, and its test fails. Default: 90 000 ms. */
  readonly unresponsiveAfter?: number;
}

/** What a command of `browser.commands` finds in its context. */
export interface PuppeteerContext {
  readonly page: Page;
  readonly browser: LaunchedBrowser['browser'];
}

/** Runs Vitest's pages in the Chrome that `launchBrowser` finds. */
export function puppeteer(options: PuppeteerOptions = {}): BrowserProviderOption {
  return defineBrowserProvider({
    name: 'puppeteer',
    options,
    providerFactory: (project) => new PuppeteerProvider(project, options),
  }) as BrowserProviderOption;
}

class PuppeteerProvider implements BrowserProvider {
  readonly name = 'puppeteer';
  /** One page, one device: two pages gain little on few cores. */
  readonly supportsParallelism = false;
  readonly #project: TestProject;
  readonly #options: PuppeteerOptions;
  readonly #pages = new Map<string, { page: Page; unwatch: () => void }>();
  #launched: Promise<LaunchedBrowser> | undefined;

  constructor(project: TestProject, options: PuppeteerOptions) {
    this.#project = project;
    this.#options = options;
  }

  getCommandsContext(sessionId: string): Record<string, unknown> {
    const { page } = this.#pageOf(sessionId);
    return { page, browser: page.browser() };
  }

  async openPage(sessionId: string, url: string): Promise<void> {
    const { browser } = await this.#launch();
    // In a hidden page timers and frames stand still: a window of its own, which believes that it has the focus.
    const page = await browser.newPage({ type: 'window' });
    const session = await page.createCDPSession();
    await session.send('Emulation.setFocusEmulationEnabled', { enabled: true });
    await page.goto(url, { timeout: 0 });
    const unwatch = watchPage(page, this.#options.unresponsiveAfter ?? 90_000, (text) =>
      this.#project.vitest.logger.error(text),
    );
    this.#pages.set(sessionId, { page, unwatch });
  }

  async getCDPSession(sessionId: string): Promise<CdpSession> {
    const session: CDPSession = await this.#pageOf(sessionId).page.createCDPSession();
    return {
      send: (method: string, parameters?: Record<string, unknown>) =>
        session.send(method as never, parameters as never),
      on: (event: string, listener: Listener) => void session.on(event, listener),
      off: (event: string, listener: Listener) => void session.off(event, listener),
      once: (event: string, listener: Listener) => void session.once(event, listener),
    } as CdpSession;
  }

  async close(): Promise<void> {
    for (const { unwatch } of this.#pages.values()) unwatch();
    this.#pages.clear();
    const launched = this.#launched;
    this.#launched = undefined;
    // A browser that failed to start has already said so.
    const { browser } = (await launched?.catch(() => undefined)) ?? {};
    await browser?.close();
  }

  #launch(): Promise<LaunchedBrowser> {
    this.#launched ??= launchBrowser(this.#options).then((launched) => {
      this.#project.vitest.logger.log(`${this.#project.name}: ${launched.description}`);
      return launched;
    });
    return this.#launched;
  }

  #pageOf(sessionId: string): { page: Page; unwatch: () => void } {
    const page = this.#pages.get(sessionId);
    if (page === undefined) throw new Error(`puppeteer provider: there is no page of session ${sessionId}`);
    return page;
  }
}

type Listener = (...parameters: unknown[]) => void;
type CdpSession = Awaited<ReturnType<NonNullable<BrowserProvider['getCDPSession']>>>;
