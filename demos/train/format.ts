/** Numbers for people, the same on the page and in the terminal. It imports nothing. */

/** `0:42`, `12:05`, `1:02:03`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}

/** `4.20 MiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** `94.65 %`. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(2)} %`;
}

/** `1 epoch`, `1,200 epochs`. */
export function counted(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `12,345`. */
export function number(value: number): string {
  return value.toLocaleString('en');
}

/** `250 steps`; of a run that goes on, `250 steps, 125 of them in this run`. */
export function stepsText({ steps, stepsBefore }: { readonly steps: number; readonly stepsBefore: number }): string {
  const all = counted(stepsBefore + steps, 'step');
  return stepsBefore === 0 ? all : `${all}, ${number(steps)} of them in this run`;
}
