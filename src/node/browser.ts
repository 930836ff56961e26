import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser, type LaunchOptions } from 'puppeteer';
import { isSoftware } from '../device/device.js';
import { NoWebGPUError } from '../errors.js';

export type AdapterChoice = 'auto' | 'hardware' | 'software';
export type AdapterKind = 'hardware' | 'software';

export interface BrowserOptions {
  /** Path of a Chrome or Chromium, or 'npm' for the one of @sparticuz/chromium. Default: `CHROME_PATH`, then an installed one, then npm's. */
  readonly browser?: string | undefined;
  /** Default: `COTANGENT_ADAPTER`, else 'auto': the machine's GPU, and the software adapter where there is none. */
  readonly adapter?: AdapterChoice | undefined;
  /** Show the window. */
  readonly headed?: boolean | undefined;
  /** More flags for Chrome. */
  readonly flags?: readonly string[] | undefined;
}

export interface LaunchedBrowser {
  readonly browser: Browser;
  readonly adapterKind: AdapterKind;
  /** Path of the browser. */
  readonly executable: string;
  /** `Chromium 150.0.1 on the software adapter (google swiftshader)`. */
  readonly description: string;
}

interface Executable {
  readonly path: string;
  /** Flags that this build asks for. */
  readonly flags: readonly string[];
  /** The build without a new headless mode. */
  readonly shell: boolean;
  /** A folder of shared libraries that it needs. */
  readonly libraries?: string;
}

interface AdapterReport {
  readonly software: boolean;
  readonly text: string;
}

const COMMON = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];
const SOFTWARE = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const CHOICES: readonly string[] = ['auto', 'hardware', 'software'];

/**
 * Starts a Chrome with WebGPU, and makes sure that a page gets an adapter.
 *
 * The environment decides where the options do not: `CHROME_PATH`, `COTANGENT_BROWSER=npm` and `COTANGENT_ADAPTER`.
 * @throws NoWebGPUError when there is no browser, or no adapter of the kind asked for.
 */
export async function launchBrowser(options: BrowserOptions = {}): Promise<LaunchedBrowser> {
  const adapter = options.adapter ?? process.env.COTANGENT_ADAPTER ?? 'auto';
  if (!CHOICES.includes(adapter)) {
    throw new NoWebGPUError('launchBrowser', `adapter is '${adapter}'; it must be one of ${CHOICES.join(', ')}.`);
  }
  const executable = await findExecutable(options.browser);
  const attempts: AdapterKind[] = [];
  if (adapter === 'hardware' || (adapter === 'auto' && mayHaveGpu())) attempts.push('hardware');
  if (adapter !== 'hardware') attempts.push('software');

  const found: string[] = [];
  for (const kind of attempts) {
    const browser = await launch(executable, kind, options);
    const report = await reportAdapter(browser);
    if (report !== undefined && report.software === (kind === 'software')) {
      const version = (await browser.version()).replace('Headless', '').replace('/', ' ');
      const adapterText = kind === 'software' ? 'the software adapter' : "the machine's GPU";
      return {
        browser,
        adapterKind: kind,
        executable: executable.path,
        description: `${version} on ${adapterText} (${report.text})`,
      };
    }
    found.push(`for ${kind}: ${report?.text ?? 'no adapter'}`);
    await browser.close();
  }
  throw new NoWebGPUError(
    'launchBrowser',
    `${executable.path} gives no ${adapter === 'auto' ? '' : `${adapter} `}adapter (${found.join('; ')}).`,
    {
      mend:
        adapter === 'hardware'
          ? 'install the GPU driver with Vulkan, or take the CPU: --adapter software, or COTANGENT_ADAPTER=software.'
          : 'name a Chrome of version 120 or later by CHROME_PATH.',
    },
  );
}

async function findExecutable(given: string | undefined): Promise<Executable> {
  const forced = given ?? (process.env.COTANGENT_BROWSER || process.env.CHROME_PATH || undefined);
  if (forced !== undefined && forced !== 'npm') {
    if (existsSync(forced)) return { path: forced, flags: [], shell: false };
    throw new NoWebGPUError('launchBrowser', `there is no browser at ${forced}.`, {
      mend: "give the path of a Chrome or Chromium, or 'npm' for the one of @sparticuz/chromium.",
    });
  }
  const installed = forced === 'npm' ? undefined : installedBrowsers().find((path) => existsSync(path));
  if (installed !== undefined) return { path: installed, flags: [], shell: false };
  return npmBrowser();
}

/** The Chromium that comes as an npm package, unpacked to the temporary folder at first use. */
async function npmBrowser(): Promise<Executable> {
  let unpack: () => Promise<string>;
  try {
    const { default: chromium } = await import('@sparticuz/chromium');
    unpack = () => chromium.executablePath();
  } catch (cause) {
    throw new NoWebGPUError('launchBrowser', 'no Chrome or Chromium is installed, nor @sparticuz/chromium.', {
      mend: 'install Chrome, or npm install --save-dev @sparticuz/chromium (Linux).',
      cause,
    });
  }
  const path = await unpack();
  const flags = ['--use-angle=swiftshader', '--no-sandbox', '--no-zygote'];
  const libraries = spawnSync('ldd', [path], { encoding: 'utf8' }).stdout ?? '';
  if (!libraries.includes('not found')) return { path, flags, shell: true };
  const folder = join(tmpdir(), 'al2023', 'lib');
  if (!existsSync(folder)) await unpackLibraries(path, unpack);
  return { path, flags, shell: true, libraries: folder };
}

/**
 * A bare machine lacks libnss3 and its like. The package has them, but unpacks them only for a cloud function, and
 * only together with the browser.
 */
async function unpackLibraries(browser: string, unpack: () => Promise<string>): Promise<void> {
  rmSync(browser, { force: true });
  const before = process.env.AWS_LAMBDA_JS_RUNTIME;
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs20.x';
  try {
    await unpack();
  } finally {
    if (before === undefined) delete process.env.AWS_LAMBDA_JS_RUNTIME;
    else process.env.AWS_LAMBDA_JS_RUNTIME = before;
  }
}

function installedBrowsers(): string[] {
  const { platform, env } = process;
  if (platform === 'darwin') {
    const names = ['Google Chrome', 'Chromium', 'Google Chrome Canary', 'Microsoft Edge'];
    const folders = ['/Applications', join(env.HOME ?? '', 'Applications')];
    return folders.flatMap((folder) => names.map((name) => join(folder, `${name}.app`, 'Contents', 'MacOS', name)));
  }
  if (platform === 'win32') {
    const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(
      (folder) => folder !== undefined,
    );
    const places = [
      'Google\\Chrome\\Application\\chrome.exe',
      'Chromium\\Application\\chrome.exe',
      'Microsoft\\Edge\\Application\\msedge.exe',
    ];
    return folders.flatMap((folder) => places.map((place) => join(folder, place)));
  }
  const names = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser', 'chrome'];
  const folders = [
    ...(env.PATH ?? '').split(delimiter),
    '/usr/bin',
    '/usr/local/bin',
    '/opt/google/chrome',
    '/snap/bin',
  ];
  return names.flatMap((name) => folders.filter((folder) => folder !== '').map((folder) => join(folder, name)));
}

/** On Linux a GPU has a device file; without one, the slow try is spared. */
function mayHaveGpu(): boolean {
  return (
    process.platform !== 'linux' ||
    ['/dev/dri', '/dev/nvidia0', '/dev/kfd', '/dev/dxg'].some((path) => existsSync(path))
  );
}

async function launch(
  executable: Executable,
  kind: AdapterKind,
  { headed = false, flags = [] }: BrowserOptions,
): Promise<Browser> {
  const args = [...COMMON, ...flags];
  if (kind === 'software') args.push(...SOFTWARE, ...executable.flags);
  else {
    args.push(...executable.flags.filter((flag) => !flag.startsWith('--use-angle')));
    // Headless Chrome on Linux leaves the GPU alone unless told to draw by Vulkan, and without a surface.
    if (process.platform === 'linux')
      args.push('--enable-unsafe-webgpu', '--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist');
    if (process.platform === 'linux' && !headed) args.push('--disable-vulkan-surface');
  }
  // Chrome refuses to run as root with its sandbox.
  if (process.platform === 'linux' && process.getuid?.() === 0) args.push('--no-sandbox');
  const options: LaunchOptions = {
    executablePath: executable.path,
    headless: headed ? false : executable.shell ? 'shell' : true,
    args: [...new Set(args)],
    // A busy machine, or the first start of a browser just unpacked, takes its time.
    timeout: 120_000,
    protocolTimeout: 0,
    defaultViewport: null,
    env: libraryPath(executable),
    // Ctrl-C is the command's to answer, after its files are closed.
    handleSIGINT: false,
  };
  try {
    return await puppeteer.launch(options);
  } catch (error) {
    // Some distributions allow no user namespaces; only pages of our own are opened.
    if (!String(error).includes('sandbox') || args.includes('--no-sandbox')) throw error;
    return puppeteer.launch({ ...options, args: [...(options.args ?? []), '--no-sandbox'] });
  }
}

function libraryPath({ libraries }: Executable): Record<string, string | undefined> {
  if (libraries === undefined) return process.env;
  return {
    ...process.env,
    LD_LIBRARY_PATH: [libraries, process.env.LD_LIBRARY_PATH].filter((path) => path).join(delimiter),
  };
}

/** What `requestAdapter` gives to a page; undefined when nothing. */
async function reportAdapter(browser: Browser): Promise<AdapterReport | undefined> {
  // WebGPU is there in secure contexts only: localhost is one, about:blank is not.
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end('<title>adapter</title>'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const report = await page.evaluate(async () => {
      const adapter = await navigator.gpu?.requestAdapter();
      if (adapter === null || adapter === undefined) return undefined;
      const { vendor, architecture, device, description } = adapter.info;
      const fallback = (adapter.info as { isFallbackAdapter?: boolean }).isFallbackAdapter === true;
      return { fallback, text: [vendor, architecture, device, description].filter((part) => part !== '').join(' ') };
    });
    if (report === undefined) return undefined;
    return {
      software: report.fallback || isSoftware(report.text),
      text: report.text,
    };
  } finally {
    await page.close();
    server.close();
    server.closeAllConnections();
  }
}
