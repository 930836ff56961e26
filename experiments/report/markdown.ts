import { duration } from '../../demos/train/format.js';
import type { Experiment, Summary, Table } from '../experiment.js';
import type { Run } from './run.js';

/** The report: claim and rule first, as they stood before the run, then what came of it. */
export function markdownOf(experiment: Experiment, run: Run, summary: Summary, figureFile: string): string {
  const { title, claim, rule, method } = experiment;
  const seconds = run.trials.reduce((sum, trial) => sum + trial.seconds, 0);
  const quick = run.quick ? ['**A quick run: it shows that all works, not what is true.**', ''] : [];
  return `${[
    `# ${title}`,
    '',
    ...quick,
    `Made by \`npm run experiment ${experiment.name}${run.quick ? ' -- --quick' : ''}\` on ${run.date.slice(0, 10)}.`,
    '',
    '## What to look for',
    '',
    claim,
    '',
    `**Rule of the verdict, stated before the run.** ${rule}`,
    '',
    '## Verdict',
    '',
    ...summary.verdicts.map((verdict) => `- **${verdictLine(verdict)}** ${verdict.because}`),
    '',
    `![${title}](${figureFile})`,
    '',
    ...summary.tables.flatMap((table) => [`## ${table.title}`, '', ...tableLines(table), '']),
    ...(summary.notes.length === 0 ? [] : ['## Notes', '', ...summary.notes.map((note) => `- ${note}`), '']),
    '## How it was done',
    '',
    method,
    '',
    'All settings:',
    '',
    ...settingLines(run.settings).map((line) => `    ${line}`),
    '',
    `${run.trials.length} trials, ${duration(seconds)} in all, on ${run.adapter}, ${run.browser}, Node ${run.versions.node}, Cotangent ${run.versions.cotangent}, ${run.platform}. Every trial's figures are in the JSON beside this file.`,
  ].join('\n')}\n`;
}

/** `Shown: best near tau = 1.` */
export function verdictLine({ claim, shown }: Summary['verdicts'][number]): string {
  return `${shown ? 'Shown' : 'Not shown'}: ${claim}.`;
}

function tableLines({ head, rows }: Table): string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}

/** A setting a line: `tasks.digits.epochs 15`. */
export function settingLines(settings: object, prefix = ''): string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? settingLines(value, `${prefix}${name}.`)
      : [`${prefix}${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`],
  );
}
