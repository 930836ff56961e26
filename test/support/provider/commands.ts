import type { BrowserCommand } from 'vitest/node';
import type { PuppeteerContext } from './puppeteer.js';

// Vitest's own types of this module come with provider packages that are not installed.
declare module 'vitest/browser' {
  export const commands: {
    /** Kills Chrome's GPU process: every device of the page is lost with reason 'unknown'. */
    readonly crashGpuProcess: () => Promise<void>;
    /** Collects all garbage of the page. */
    readonly collectGarbage: () => Promise<void>;
  };
}

/** For tests, by `import { commands } from 'vitest/browser'`. */
export const crashGpuProcess: BrowserCommand<[]> = async (context) => {
  const { browser } = context as unknown as PuppeteerContext;
  const session = await browser.target().createCDPSession();
  try {
    await session.send('Browser.crashGpuProcess');
  } finally {
    await session.detach();
  }
};

export const collectGarbage: BrowserCommand<[]> = async (context) => {
  const { page } = context as unknown as PuppeteerContext;
  const session = await page.createCDPSession();
  try {
    await session.send('HeapProfiler.collectGarbage');
  } finally {
    await session.detach();
  }
};
