import { ValueError } from '../errors.js';

/** Whether the bytes begin with gzip's magic, 1f 8b. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * The bytes that a gzip stream holds.
 * @throws ValueError, as from `op` about the file `name`, when it is cut short or damaged.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  { op, name, callSite }: { op: string; name: string; callSite?: string | undefined },
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(inflated).arrayBuffer());
  } catch (cause) {
    throw new ValueError(
      op,
      `${name}: the gzip stream in bytes 0 to ${bytes.length} does not decompress: it is cut short or damaged.`,
      { mend: 'fetch the file again, and compare its size with the original.', callSite, cause },
    );
  }
}
