import { ValueError } from '../../errors.js';
import { loadDataset } from '../datasets.js';
import { helpText, parseCommandLine } from '../terminal/commandLine.js';
import { startDemoServer } from './demoServer.js';
import { printError } from './printError.js';

const OPTIONS = [
  {
    name: 'port',
    placeholder: 'NUMBER',
    help: 'where to listen; the next free one when it is taken',
    defaultText: '5173',
  },
  { name: 'help', help: 'show this' },
];

try {
  const given = parseCommandLine('start', process.argv.slice(2), OPTIONS);
  if (given.has('help')) {
    console.log(`Serves the demos to a browser on this machine.\n\n${helpText(OPTIONS)}`);
  } else {
    const { url } = await startDemoServer({
      datasets: { mnist: () => loadDataset('mnist') },
      watch: true,
      port: portOf(given.get('port') ?? '5173'),
    });
    console.log(`The trainer is at ${url}train/\nAll demos are at ${url}\nCtrl-C ends this.`);
  }
} catch (error) {
  printError(error);
  process.exitCode = 1;
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new ValueError('start', `--port is '${text}'; it must be an integer from 0 to 65535.`);
}
