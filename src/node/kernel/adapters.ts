import type { AdapterFacts } from '../../device/device.js';
import { Engine, type EngineOptions } from '../../graph/engine.js';
import { limitsOf } from '../../kernels/limits.js';

/** An engine that chooses kernels as on some kind of adapter, whatever it runs on. */
export class Stand {
  readonly asOn: string;
  readonly engine: Engine;
  readonly #real: AdapterFacts;
  readonly #pretended: AdapterFacts;

  private constructor(asOn: string, engine: Engine, pretended: Partial<AdapterFacts>) {
    this.asOn = asOn;
    this.engine = engine;
    this.#real = engine.device.facts;
    this.#pretended = { ...this.#real, ...pretended };
    this.#show(this.#pretended);
  }

  static async open({ asOn, withoutFeatures, facts }: Kind): Promise<Stand> {
    return new Stand(asOn, await Engine.create({ withoutFeatures }), facts);
  }

  /** Measures what its device can do, which it must not be mistaken in. */
  async limits() {
    this.#show(this.#real);
    try {
      return await limitsOf(this.engine.device);
    } finally {
      this.#show(this.#pretended);
    }
  }

  #show(facts: AdapterFacts): void {
    Object.defineProperty(this.engine.device, 'facts', { value: facts, configurable: true });
  }
}

interface Kind {
  readonly asOn: string;
  readonly withoutFeatures: NonNullable<EngineOptions['withoutFeatures']>;
  readonly facts: Partial<AdapterFacts>;
}

/** In the order in which they are tried. */
const KINDS: readonly Kind[] = [
  { asOn: 'this adapter', withoutFeatures: [], facts: {} },
  { asOn: 'a CPU', withoutFeatures: ['subgroups'], facts: { software: true } },
  {
    asOn: 'a GPU',
    withoutFeatures: [],
    facts: { software: false, subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrices: [] },
  },
];

const open: (Promise<Stand> | undefined)[] = [];

/** Each kind of adapter in turn; opened when it is first come to. */
export async function* stands(): AsyncGenerator<Stand> {
  for (const [i, kind] of KINDS.entries()) {
    open[i] ??= Stand.open(kind);
    yield await (open[i] as Promise<Stand>);
  }
}
