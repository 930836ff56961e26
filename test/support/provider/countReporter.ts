import { readFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';

/**
 * Ends the run with `N passed, N failed`, alone on its line, and fails it
 * - for a skipped test without a reason: `ctx.skip('why')` gives one, `test.skip` cannot;
 * - for fewer tests than the file `floor` says, when all files run: a glob that misses half of them looks green.
 */
export class CountReporter implements Reporter {
  readonly #floorFile: string | undefined;
  #vitest: Vitest | undefined;
  #filtered = false;

  constructor({ floor }: { readonly floor: string | undefined }) {
    this.#floorFile = floor;
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunStart(): void {
    const { config, filenamePattern } = this.#vitest as Vitest & { filenamePattern?: readonly string[] };
    const projects = [config.project].flat().filter((name) => name !== undefined);
    this.#filtered =
      config.testNamePattern !== undefined ||
      (filenamePattern?.length ?? 0) > 0 ||
      projects.length > 0 ||
      config.shard !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    let passed = 0;
    let failed = unhandled.length;
    const complaints: string[] = [];
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        else if (state === 'failed') failedHere++;
        else if (!this.#filtered && module.ok() && reasonOf(test) === undefined) {
          complaints.push(
            `skipped without a reason: ${module.relativeModuleId} > ${test.fullName}\n  Mend: ctx.skip('why') inside the test, or let it run.`,
          );
        }
      }
      // A file that did not load, or a hook that threw, has failed even with no test to blame.
      if (failedHere === 0 && !module.ok()) failedHere = 1;
      failed += failedHere;
    }
    const floor = floorOf(this.#floorFile);
    const watching = this.#vitest?.config.watch === true;
    if (!this.#filtered && !watching && passed + failed < floor) {
      complaints.push(
        `${passed + failed} tests ran; ${this.#floorFile} says at least ${floor}.\n  Mend: find out which files were not run, or lower the floor with a reason in the commit.`,
      );
    }
    for (const complaint of complaints) console.error(complaint);
    failed += complaints.length;
    if (failed > 0) process.exitCode = 1;
    console.log(`\n${passed} passed, ${failed} failed`);
  }
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' && result.note !== '' ? result.note : undefined;
}

function floorOf(file: string | undefined): number {
  return file === undefined ? 0 : (JSON.parse(readFileSync(file, 'utf8')) as { tests: number }).tests;
}
