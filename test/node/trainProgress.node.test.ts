import { describe, expect, test } from 'vitest';
import { bytes, duration, percent } from '../../demos/train/format.js';
import { ProgressDisplay, type ProgressState, progressLine, trainingBar } from '../../src/node/terminal/progress.js';

const state: ProgressState = {
  epoch: 3,
  epochs: 12,
  step: 300,
  steps: 1500,
  loss: 0.12345,
  accuracy: 0.9432,
  imagesPerSecond: 12345.6,
  secondsLeft: 83,
};
const line = (given: ProgressState, columns: number) => progressLine(trainingBar(given), columns);
const BAR = /^([━┄]+) {2}/;

describe('the line', () => {
  test('a wide terminal shows everything', () => {
    expect(line(state, 140)).toBe(
      `${'━'.repeat(8)}${'┄'.repeat(32)}  epoch  3/12  loss 0.1235  accuracy 94.32 %  1:23 left  12,346 images/s  step 300/1,500`,
    );
  });

  test.each([200, 120, 100, 80, 60, 40, 20, 5, 0])('it fits %i columns', (columns) => {
    const text = line(state, columns);
    expect(text.length).toBeLessThanOrEqual(columns);
    expect(text).toContain('epoch  3/12'.slice(0, columns));
  });

  test.each([
    [0, 0],
    [0.5, 20],
    [1, 40],
    [2, 40],
  ])('the bar at %d of the run', (part, filled) => {
    const bar = BAR.exec(line({ ...state, step: part * 1500 }, 200))?.[1] ?? '';
    expect([bar.replaceAll('┄', '').length, bar.length]).toEqual([filled, 40]);
  });

  test('nothing known yet', () => {
    const text = line(
      { ...state, steps: 0, step: 0, loss: Number.NaN, accuracy: undefined, secondsLeft: Number.NaN },
      140,
    );
    expect(text.replace(BAR, '')).toBe('epoch  3/12  loss NaN  accuracy -  -:-- left  12,346 images/s  step 0/0');
  });
});

describe('the display', () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    let time = 0;
    const display = new ProgressDisplay({ isTTY, columns: 80, write: (text) => written.push(text) }, () => time);
    return { written, display, advance: (milliseconds: number) => (time += milliseconds) };
  };

  test('a terminal: one line drawn over, which a lasting line replaces', () => {
    const { written, display, advance } = record(true);
    display.show(trainingBar(state));
    display.show(trainingBar(state)); // too soon
    advance(100);
    display.show(trainingBar(state));
    display.line('epoch done');
    display.end();
    const drawn = `\r\u001b[2K${line(state, 79)}`;
    expect(written).toEqual([drawn, drawn, '\r\u001b[2Kepoch done\n']);
  });

  test('elsewhere: a plain line in ten seconds, without a bar or control characters', () => {
    const { written, display, advance } = record(false);
    for (let second = 0; second < 25; second++) {
      display.show(trainingBar(state));
      advance(1000);
    }
    display.end();
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(/^epoch {2}3\/12 .*step 300\/1,500\n$/);
  });
});

test.each([
  [0, '0:00'],
  [59.6, '1:00'],
  [725, '12:05'],
  [3723, '1:02:03'],
  [Number.NaN, '-:--'],
  [-3, '0:00'],
])('duration of %d', (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [4.2 * 2 ** 20, '4.20 MiB'],
  [2 ** 40, '1.02e+3 GiB'],
])('%d bytes', (count, text) => expect(bytes(count)).toBe(text));

test('percent', () => expect(percent(0.94321)).toBe('94.32 %'));
