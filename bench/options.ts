import { parseArgs } from 'node:util';
import { suggest } from '../src/index.js';
import { PEERS, type PeerName } from './case.js';

export interface Options {
  readonly cases: readonly string[];
  readonly peers: readonly PeerName[];
  readonly adapter: 'auto' | 'hardware' | 'software' | undefined;
  readonly browser: string | undefined;
  readonly quick: boolean;
  readonly profile: boolean;
  /** Files to write. */
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly svg: string | undefined;
  readonly help: boolean;
}

/** What the user typed is wrong: the message says how, and no stack is shown. */
export class UsageError extends Error {}

const ADAPTERS = ['auto', 'hardware', 'software'] as const;

export function helpText(names: readonly string[]): string {
  return `npm run bench -- [CASE…] [options]

Times Cotangent beside other libraries: same Chrome page, same inputs, in turns. Results are compared
before the clock starts. A CASE is a name or the part before a slash; none means all:
  ${names.join('  ')}

  --against LIST     peers, of ${PEERS.join(', ')}, or none (default: ${PEERS.join(',')})
  --adapter KIND     ${ADAPTERS.join(', ')} (default: auto, the GPU where there is one)
  --browser PATH     a Chrome or Chromium (default: an installed one)
  --quick            few, short samples: shows that all works, not how fast it is; without the cases that
                     take long, unless named whole
  --profile          where the time of each of our dispatches goes (timestamp queries)
  --json FILE        writes the figures there as well, anew after each case
  --html FILE        writes a page with tables and charts
  --svg FILE         writes the chart of the ratios to the peers
  --help             this text

plain is Cotangent without what a case is about, by-hand a step written with raw WebGPU calls and our own kernels;
jax-js and tfjs are installed into bench/node_modules at the first run. Goals that are missed are printed and are no failure. Exit code 1 when Cotangent fails or
results differ, 2 when the command line is wrong.`;
}

/** @param large of the names, those that take long. */
export function parseOptions(
  words: readonly string[],
  names: readonly string[],
  large: readonly string[] = [],
): Options {
  const { values, positionals } = parse(words);
  const adapter = values.adapter;
  if (adapter !== undefined && !isOneOf(ADAPTERS, adapter)) {
    throw new UsageError(`unknown adapter '${adapter}'. ${suggest(adapter, ADAPTERS)}`);
  }
  const chosen =
    positionals.length === 0 ? names : names.filter((name) => positionals.some((asked) => selects(asked, name, names)));
  return {
    cases: chosen.filter((name) => !values.quick || !large.includes(name) || positionals.includes(name)),
    peers: peersOf(values.against),
    adapter,
    browser: values.browser,
    quick: values.quick,
    profile: values.profile,
    json: values.json,
    html: values.html,
    svg: values.svg,
    help: values.help,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        against: { type: 'string', default: PEERS.join(',') },
        adapter: { type: 'string' },
        browser: { type: 'string' },
        quick: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
        json: { type: 'string' },
        html: { type: 'string' },
        svg: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function selects(asked: string, name: string, names: readonly string[]): boolean {
  if (!names.some((each) => each === asked || each.startsWith(`${asked}/`))) {
    throw new UsageError(`unknown case '${asked}'. ${suggest(asked, names)}`);
  }
  return name === asked || name.startsWith(`${asked}/`);
}

function peersOf(list: string): PeerName[] {
  if (list === 'none') return [];
  return list.split(',').map((name) => {
    if (!isOneOf(PEERS, name)) throw new UsageError(`unknown peer '${name}'. ${suggest(name, [...PEERS, 'none'])}`);
    return name;
  });
}

function isOneOf<T extends string>(known: readonly T[], word: string): word is T {
  return (known as readonly string[]).includes(word);
}
