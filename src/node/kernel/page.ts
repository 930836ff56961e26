import { disagreement } from '../../../test/reference/disagreement.js';
import { evaluate } from '../../../test/reference/evaluate.js';
import type { Value } from '../../../test/reference/value.js';
import { random } from '../../../test/support/random.js';
import { compiledBehind } from '../../graph/compile.js';
import type { PlannedDispatch } from '../../graph/dispatch.js';
import {
  type CompiledFunction,
  compile,
  type HostArray,
  type MeasuredLimits,
  profile,
  type Tensor,
  tensor,
} from '../../index.js';
import { type Stand, stands } from './adapters.js';
import type { KernelReport, KernelRequest, KernelRow } from './report.js';
import { type Sizes, subjects, type Use } from './subjects.js';

declare global {
  /** Called by the terminal's side. */
  var checkKernel: (request: KernelRequest) => Promise<KernelReport>;
  /** Put here by the terminal's side. */
  var tellProgress: (text: string) => Promise<void>;
}

/** Of the inputs that are compared, and of those that leave other numbers behind in every buffer. */
const SEED = 1;
const DECOY = 2;
/** The reference takes about a microsecond for each product of the sizes. */
const LARGEST_CHECKED = 2 ** 21;

/** A use of the kernel at some sizes, on an engine whose plan for it has the file. */
interface Posed {
  readonly use: Use;
  readonly sizes: Sizes;
  readonly stand: Stand;
  readonly compiled: CompiledFunction<Tensor[], Tensor[]>;
  /** Which dispatches of the plan have it. */
  readonly dispatches: readonly number[];
}

globalThis.checkKernel = async ({ file, sizes }) => {
  const subject = subjects.get(file);
  if (subject === undefined) throw new Error(`${file} is not known here`);
  const sweep = sizes.length > 0 ? sizes : subject.sweep;
  const small = sweep.filter((each) => each.reduce((work, length) => work * length, 1) <= LARGEST_CHECKED);
  const failures: string[] = [];
  const elsewhere: string[] = [];
  let checked = 0;
  const toCheck = [...new Map([...subject.edges, ...small].map((each) => [each.join('x'), each])).values()];
  for (const each of toCheck) {
    for (const use of subject.uses) {
      void globalThis.tellProgress(`check ${nameOf(use, each)}`);
      const posed = await pose(file, use, each);
      if (posed === undefined) continue;
      checked++;
      failures.push(...(await complaints(posed)));
      posed.compiled.dispose();
    }
  }
  const rows: KernelRow[] = [];
  let limits: MeasuredLimits | undefined;
  for (const each of failures.length > 0 ? [] : sweep) {
    for (const use of subject.uses) {
      void globalThis.tellProgress(`time ${nameOf(use, each)}`);
      const posed = await pose(file, use, each);
      if (posed === undefined) {
        elsewhere.push(nameOf(use, each));
        continue;
      }
      limits ??= await posed.stand.limits();
      rows.push(await time(posed));
      posed.compiled.dispose();
    }
  }
  return { limits, checked, failures, elsewhere, rows };
};

/** @returns undefined when no kind of adapter takes this kernel for it. */
async function pose(file: string, use: Use, sizes: Sizes): Promise<Posed | undefined> {
  for await (const stand of stands()) {
    stand.engine.use();
    const compiled = compile((...inputs: Tensor[]) => use.apply(...inputs), { name: nameOf(use, sizes) });
    const program = compiledBehind(compiled)?.program(use.inputs(sizes, random(SEED)));
    const planned = (program?.allParts ?? []).flatMap(({ plan }) => plan.dispatches);
    const dispatches = planned.flatMap((one, i) => (comesFrom(one, file) ? [i] : []));
    if (dispatches.length > 0) return { use, sizes, stand, compiled, dispatches };
    compiled.dispose();
  }
  return undefined;
}

function comesFrom({ code, lineMap }: PlannedDispatch, file: string): boolean {
  return code.split('\n').some((_, i) => lineMap(i + 1)?.file === file);
}

/** How the results differ from the float64 reference, and what the GPU refused. */
async function complaints({ use, sizes, compiled }: Posed): Promise<string[]> {
  const name = nameOf(use, sizes);
  const inputs = use.inputs(sizes, random(SEED));
  try {
    // A kernel that does nothing leaves what was there: so let there be the results of other inputs.
    await readAll(compiled(...use.inputs(sizes, random(DECOY))));
    const results = await readAll(compiled(...inputs));
    const wanted = evaluate((use.reference ?? use.apply)(...inputs.map(hold)));
    return results.flatMap((result, i) => {
      const { complaint } = disagreement(result, bounded(wanted[i] as Value, use), `result ${i}`);
      return complaint === undefined ? [] : [`${name}: ${complaint}`];
    });
  } catch (error) {
    return [`${name}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`];
  }
}

/** The reference's own bounds, or those of the use. */
function bounded(value: Value, { relative }: Use): Value {
  if (relative === undefined) return value;
  const largest = value.data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return { ...value, error: new Float64Array(value.data.length).fill(relative * largest + 1e-7) };
}

async function time({ use, sizes, stand, compiled, dispatches }: Posed): Promise<KernelRow> {
  const inputs = use.inputs(sizes, random(SEED)).map(hold);
  const found = await profile(compiled, ...inputs);
  for (const input of inputs) input.dispose();
  const own = dispatches.flatMap((i) => found.dispatches[i] ?? []);
  return { use: use.name, sizes, asOn: stand.asOn, dispatches: own };
}

function hold({ data, shape }: HostArray): Tensor {
  return tensor(data, { shape });
}

function readAll(tensors: readonly Tensor[]) {
  return Promise.all(tensors.map((one) => one.data()));
}

function nameOf({ name }: Use, sizes: Sizes): string {
  return `${name} ${sizes.join('x')}`;
}
