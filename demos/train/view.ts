import type { MemoryReport, Progress } from '../../src/index.js';
import { chart } from './chart.js';
import { bytes, duration, number, percent, stepsText } from './format.js';
import type { RunOptions } from './options.js';
import type { Adapter, Curve, RunResult } from './run.js';

/** A chart is drawn again at most so often, in milliseconds. */
const REDRAW = 150;

/** The page's elements that tell how a run goes. */
export class View {
  #drawnAt = Number.NEGATIVE_INFINITY;
  #steps: number | undefined;
  #subtitle = 'no run yet';

  element(id: string): HTMLElement {
    const element = document.getElementById(id);
    if (element === null) throw new Error(`the page has no element '${id}'`);
    return element;
  }

  constructor() {
    this.#draw({ steps: [], epochs: [] });
  }

  /** There is a GPU: runs may start. */
  ready(): void {
    this.#button('start').disabled = false;
    this.#status('Ready.');
  }

  showAdapter({ name, vendor, software }: Adapter): void {
    const label = name.toLowerCase().includes(vendor.toLowerCase()) ? name : `${vendor} ${name}`;
    this.element('adapter').textContent = software ? `${label} (software: it runs on the CPU)` : label;
  }

  showProblem(error: Error): void {
    const problem = this.element('problem');
    problem.textContent = `${error.name}: ${error.message}`;
    problem.hidden = false;
    if (error.name === 'NoWebGPUError') this.element('adapter').textContent = 'no GPU';
    this.#status('');
  }

  begin({ loss, data, model }: RunOptions): void {
    this.#button('start').disabled = true;
    this.#button('stop').disabled = false;
    this.element('problem').hidden = true;
    this.element('facts').replaceChildren();
    this.element('classes').replaceChildren();
    this.#steps = undefined;
    this.#subtitle = `${loss} on ${data}, ${model}`;
    this.#draw({ steps: [], epochs: [] });
    this.#progress().removeAttribute('value');
    this.#status('Loading the data and compiling the kernels …');
  }

  end(): void {
    const stop = this.#button('stop');
    const start = this.#button('start');
    start.disabled = false;
    if (document.activeElement === stop) start.focus();
    stop.disabled = true;
    if (!this.#progress().hasAttribute('value')) this.#progress().value = 0;
  }

  showProgress(progress: Progress, memory: MemoryReport, epochs: number): void {
    const { epoch, step, steps, loss, examplesPerSecond, secondsLeft } = progress;
    this.#progress().value = step / steps;
    this.#facts({
      epoch: `${epoch + 1} of ${epochs}`,
      step: `${number(step)} of ${number(steps)}`,
      'training loss': loss.toPrecision(4),
      'images a second': number(Math.round(examplesPerSecond)),
      'on the GPU': bytes(memory.bytesHeld),
      'time left': duration(secondsLeft),
    });
    // Read out once an epoch, not at each number.
    this.#status(`Training, epoch ${epoch + 1} of ${epochs}.`);
  }

  showResult(result: RunResult, classNames: readonly string[]): void {
    const verb = result.reason === 'stopped' ? 'Stopped' : 'Done';
    if (result.reason === 'done') this.#progress().value = 1;
    this.#status(
      `${verb} after ${stepsText(result)} and ${duration(result.seconds)}: test accuracy ${percent(result.testAccuracy)}.`,
    );
    this.#facts({
      'test accuracy': percent(result.testAccuracy),
      'test loss': result.testLoss.toPrecision(4),
      time: duration(result.seconds),
      'images a second': number(Math.round(result.imagesPerSecond)),
      'on the GPU': bytes(result.memory.bytesHeld),
      'submits a step': result.submitsPerStep.toFixed(2),
    });
    this.element('classes').replaceChildren(classTable(result.perClassAccuracy, classNames));
  }

  /** Draws the curve, but not at every call: `steps` in all come with a run that goes on. */
  showChart(curve: Curve, steps?: number): void {
    if (steps !== undefined) {
      this.#steps = steps;
      if (performance.now() - this.#drawnAt < REDRAW) return;
    }
    this.#draw(curve);
  }

  #draw(curve: Curve): void {
    this.#drawnAt = performance.now();
    const titles = { title: 'Loss and accuracy', subtitle: this.#subtitle };
    this.element('chart').innerHTML = chart(
      curve,
      this.#steps === undefined ? titles : { ...titles, steps: this.#steps },
    );
  }

  #facts(facts: Readonly<Record<string, string>>): void {
    const rows = Object.entries(facts).map(([name, value]) => {
      const row = document.createElement('div');
      const term = document.createElement('dt');
      const detail = document.createElement('dd');
      term.textContent = name;
      detail.textContent = value;
      row.append(term, detail);
      return row;
    });
    this.element('facts').replaceChildren(...rows);
  }

  #status(text: string): void {
    const status = this.element('status');
    if (status.textContent !== text) status.textContent = text;
  }

  #progress(): HTMLProgressElement {
    return this.element('progress') as HTMLProgressElement;
  }

  #button(id: string): HTMLButtonElement {
    return this.element(id) as HTMLButtonElement;
  }
}

function classTable(accuracy: readonly (number | null)[], names: readonly string[]): HTMLTableElement {
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const title of ['class', 'accuracy']) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = title;
    head.append(cell);
  }
  const body = table.createTBody();
  accuracy.forEach((part, i) => {
    const row = body.insertRow();
    const name = document.createElement('th');
    name.scope = 'row';
    name.textContent = names[i] ?? String(i);
    row.append(name);
    row.insertCell().textContent = part === null ? 'no examples' : percent(part);
  });
  return table;
}
