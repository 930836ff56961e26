import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { createServer, type Plugin, type ViteDevServer } from 'vite';
import { encodeDataset, type ImageDataset } from '../../data/imageDataset.js';
import { wgsl } from '../wgsl/wgsl.js';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const DEMOS = `${REPOSITORY}demos`;

/** Datasets by name, loaded when first asked for. */
export type ServedDatasets = Readonly<Record<string, () => Promise<ImageDataset>>>;

export interface DemoServerOptions {
  readonly datasets: ServedDatasets;
  /** Reload the page when a file changes. */
  readonly watch: boolean;
  /** Default: any free one. */
  readonly port?: number;
}

/** A Vite server of the demos, on localhost: WebGPU wants a secure context, and localhost is one. */
export async function startDemoServer({
  datasets,
  watch,
  port = 0,
}: DemoServerOptions): Promise<{ server: ViteDevServer; url: string }> {
  const server = await createServer({
    configFile: false,
    root: DEMOS,
    // Pages of their own: a wrong path is not found, where one page for all would be served for any.
    appType: 'mpa',
    // A Vite that builds the tests may run beside.
    cacheDir: `${REPOSITORY}node_modules/.vite-demos`,
    plugins: [wgsl(), redirectFolders, serveDatasets(datasets)],
    optimizeDeps: { noDiscovery: true, include: [] },
    logLevel: 'error',
    clearScreen: false,
    server: {
      host: 'localhost',
      port,
      fs: { allow: [REPOSITORY] },
      ...(watch ? {} : { watch: null, hmr: false }),
    },
  });
  await server.listen();
  const url = server.resolvedUrls?.local[0];
  if (url === undefined) throw new Error('the server has no address');
  return { server, url };
}

/** `/train` is taken for `/train/`: without the slash its relative addresses would start a folder too high. */
const redirectFolders: Plugin = {
  name: 'cotangent:folders',
  configureServer(server) {
    server.middlewares.use((request, response, next) => {
      const [, name, query = ''] = /^\/([\w-]+)(\?.*)?$/.exec(request.url ?? '') ?? [];
      if (name === undefined || !existsSync(`${DEMOS}/${name}/index.html`)) return next();
      response.writeHead(302, { location: `/${name}/${query}` }).end();
    });
  },
};

/** Serves `data/NAME.safetensors`; in a build, writes the same file. */
export function serveDatasets(datasets: ServedDatasets): Plugin {
  const encoded = new Map<string, Promise<Uint8Array>>();
  const bytesOf = (name: string): Promise<Uint8Array> | undefined => {
    const load = datasets[name];
    if (load === undefined) return undefined;
    let bytes = encoded.get(name);
    if (bytes === undefined) {
      bytes = load().then(encodeDataset);
      encoded.set(name, bytes);
      bytes.catch(() => encoded.delete(name));
    }
    return bytes;
  };
  return {
    name: 'cotangent:datasets',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const name = /^\/data\/([\w-]+)\.safetensors(?:\?.*)?$/.exec(request.url ?? '')?.[1];
        const bytes = name === undefined ? undefined : bytesOf(name);
        if (bytes === undefined) next();
        else void send(bytes, request, response);
      });
    },
    async generateBundle() {
      for (const name of Object.keys(datasets)) {
        const source = await bytesOf(name);
        if (source !== undefined) this.emitFile({ type: 'asset', fileName: `data/${name}.safetensors`, source });
      }
    },
  };
}

async function send(bytes: Promise<Uint8Array>, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const content = await bytes;
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('content-length', content.length);
    response.end(request.method === 'HEAD' ? undefined : content);
  } catch (error) {
    response.statusCode = 500;
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    response.end(error instanceof Error ? error.message : String(error));
  }
}
