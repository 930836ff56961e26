import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const versionOf = (path: string) => (require(path) as { version: string }).version;

/** What ran, for the record of a run. */
export function versions() {
  return {
    cotangent: versionOf('../../../package.json'),
    node: process.versions.node,
    puppeteer: versionOf('puppeteer/package.json'),
  };
}
