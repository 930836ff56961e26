import type { Device } from '../device/device.js';
import { Timestamps } from '../device/timestamps.js';
import type { PlannedDispatch } from '../graph/dispatch.js';
import type { Program } from '../graph/program.js';
import type { DispatchTimer } from '../graph/recorder.js';
import { durations } from './stamps.js';

/** A dispatch of a step's plan. */
export interface PlannedRow {
  readonly dispatch: PlannedDispatch;
  /** How often a step runs it: more than once inside a repeat. */
  readonly runs: number;
}

/** A program's dispatches in the order of `explain`. */
export function rowsOf({ parts, loops }: Program, runs = 1): PlannedRow[] {
  return parts.flatMap(({ plan }, i) => {
    const loop = loops[i];
    const own = plan.dispatches.map((dispatch) => ({ dispatch, runs }));
    return loop === undefined ? own : [...own, ...rowsOf(loop.body, runs * loop.count)];
  });
}

/** Times steps, one after another, by timestamps around each dispatch. */
export class StepTimer implements DispatchTimer {
  /** How often each row runs between two timestamps. */
  repeats: readonly number[];
  readonly #timestamps: Timestamps;
  readonly #rows: ReadonlyMap<PlannedDispatch, number>;
  /** The row of each pass of the step under way. */
  #passes: number[] = [];

  constructor(device: Device, rows: readonly PlannedRow[]) {
    this.repeats = rows.map(() => 1);
    this.#rows = new Map(rows.map(({ dispatch }, i) => [dispatch, i]));
    this.#timestamps = new Timestamps(
      device,
      rows.reduce((sum, { runs }) => sum + runs, 0),
    );
  }

  next(dispatch: PlannedDispatch): { around: GPUComputePassTimestampWrites; repeats: number } {
    const row = this.#rows.get(dispatch) ?? 0;
    return { around: this.#timestamps.around(this.#passes.push(row) - 1), repeats: this.repeats[row] ?? 1 };
  }

  /** The step that was submitted: its timestamps, and the ms of each row's runs together. */
  async read(): Promise<{ stamps: BigUint64Array; times: number[] }> {
    const passes = this.#passes;
    this.#passes = [];
    const stamps = await this.#timestamps.read();
    const times = this.repeats.map(() => 0);
    durations(stamps).forEach((ms, i) => {
      const row = passes[i] ?? 0;
      times[row] = (times[row] ?? 0) + ms / (this.repeats[row] ?? 1);
    });
    return { stamps, times };
  }

  destroy(): void {
    this.#timestamps.destroy();
  }
}
