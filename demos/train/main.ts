import { CotangentError, init } from '../../src/index.js';
import { OptionsForm } from './form.js';
import type { RunOptions } from './options.js';
import { Trainer } from './trainer.js';
import { View } from './view.js';

const view = new View();
const form = new OptionsForm(view.element('fields'));
const runs = new Trainer(view, form);

declare global {
  /** The page's handle for scripts: `npm run train` drives it, and so can the console. */
  var trainer: Trainer;
}
globalThis.trainer = runs;

view.element('options').addEventListener('submit', (event) => {
  event.preventDefault();
  const options: RunOptions | undefined = form.read();
  if (options !== undefined) void runs.start(options);
});
view.element('stop').addEventListener('click', () => runs.stop());

try {
  // Tells at once whether there is a GPU; a run opens its own.
  const engine = await init();
  view.showAdapter(engine.device.facts);
  engine.destroy();
  view.ready();
} catch (error) {
  view.showProblem(error instanceof CotangentError ? error : new Error(String(error)));
}
