import type { KernelReport, KernelRow } from '../kernel/report.js';
import { subjects } from '../kernel/subjects.js';
import { alignColumns, digits, percent } from '../terminal/table.js';
import { kernelHelp, parseKernelArguments } from './kernelOptions.js';
import { printError } from './printError.js';
import { showProgress, withPage } from './withPage.js';

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  showProgress('');
  printError(error);
  process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<number> {
  const { help, request, adapter, browser } = parseKernelArguments(args, subjects);
  if (help) {
    console.log(kernelHelp(subjects, process.stdout.columns));
    return 0;
  }
  // Without the flag, Chrome rounds timestamps to 0.1 ms.
  const launch = { adapter, browser, flags: ['--enable-webgpu-developer-features'] };
  const report = await withPage('src/node/kernel/page.html', 'checkKernel', launch, async (page, { description }) => {
    console.log(description);
    await page.exposeFunction('tellProgress', showProgress);
    return (await page.evaluate((asked) => globalThis.checkKernel(asked), request)) as KernelReport;
  });
  showProgress('');
  console.log(format(`shaders/${request.file}`, report));
  return report.failures.length > 0 || report.checked === 0 ? 1 : 0;
}

function format(file: string, { checked, failures, elsewhere, rows, limits }: KernelReport): string {
  if (checked === 0) return `${file}: no op takes it for any of the sizes on this adapter, so nothing was checked.`;
  if (failures.length > 0) {
    return [`${file}: ${failures.length} wrong results in ${checked} cases; not timed.`, ...failures].join('\n');
  }
  const head = [
    'use',
    'sizes',
    'chosen as on',
    'variant',
    'grid',
    'ms',
    'GFLOP/s',
    'of fma',
    'GB/s',
    'of copy',
    'bound by',
  ];
  return [
    `${file}: right in all ${checked} cases, within the bounds of the float64 reference.`,
    ...(rows.length === 0 ? [] : ['', alignColumns([head, ...rows.flatMap(linesOf)], 5)]),
    ...(limits === undefined
      ? []
      : [`Limits in this run: fma ${digits(limits.fmaGflops)} GFLOP/s, copy ${digits(limits.copyGbps)} GB/s.`]),
    ...(elsewhere.length === 0 ? [] : [`Another kernel is taken for: ${elsewhere.join(', ')}.`]),
  ].join('\n');
}

function linesOf({ use, sizes, asOn, dispatches }: KernelRow): string[][] {
  return dispatches.map(({ variant = '', grid, ms, gflops, gbps, shareOfFma, shareOfBandwidth, boundBy }, i) => [
    i === 0 ? use : '',
    i === 0 ? sizes.join('x') : '',
    asOn,
    variant,
    grid.join('x'),
    ...[ms, gflops].map(numberText),
    shareText(shareOfFma),
    numberText(gbps),
    shareText(shareOfBandwidth),
    boundBy,
  ]);
}

function numberText(value: number | undefined): string {
  return value === undefined ? '-' : digits(value);
}

function shareText(value: number | undefined): string {
  return value === undefined ? '-' : percent(value);
}
