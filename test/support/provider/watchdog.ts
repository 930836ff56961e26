import type { Page } from 'puppeteer';

const EVERY = 2_000;

/**
 * Closes a page whose JavaScript has not answered for `limit` ms: Vitest waits for ever on a test in an endless loop.
 * It names the file that was running when its page goes.
 * @returns a function that stops watching.
 */
export function watchPage(page: Page, limit: number, report: (text: string) => void): () => void {
  let answered = performance.now();
  let asking = false;
  const timer = setInterval(() => {
    if (page.isClosed()) return stop();
    if (!asking) {
      asking = true;
      page
        .evaluate(() => 1)
        .then(
          () => {
            answered = performance.now();
            asking = false;
          },
          () => {
            // Between two documents there is nobody to answer; the next turn asks again.
            asking = false;
          },
        );
    }
    if (performance.now() - answered < limit) return;
    stop();
    report(
      `The page has not answered for ${Math.round(limit / 1000)} s: a test is in an endless loop. The page is closed.`,
    );
    void closeTarget(page);
  }, EVERY);
  const stop = (): void => clearInterval(timer);
  return stop;
}

/** page.close() waits for the page's own JavaScript; the browser does not. */
async function closeTarget(page: Page): Promise<void> {
  const session = await page.browser().target().createCDPSession();
  const { targetInfos } = await session.send('Target.getTargets');
  const url = page.url();
  for (const { targetId, url: each } of targetInfos) {
    if (each === url) await session.send('Target.closeTarget', { targetId });
  }
  await session.detach();
}
