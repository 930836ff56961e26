/** Keeps a tuner's choices between pages or runs: a text by name. */
export interface TunerStore {
  /** Undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  write(name: string, text: string): Promise<void>;
}

const CACHE = 'cotangent-tuner';

/** The page's Cache API; undefined where there is none (an insecure page, Node). */
export function pageStore(): TunerStore | undefined {
  if (typeof caches === 'undefined') return undefined;
  // Keys are addresses; this one is never fetched.
  const address = (name: string) => `https://cotangent.invalid/tuner/${encodeURIComponent(name)}`;
  return {
    read: async (name) => (await (await caches.open(CACHE)).match(address(name)))?.text(),
    write: async (name, text) => (await caches.open(CACHE)).put(address(name), new Response(text)),
  };
}
