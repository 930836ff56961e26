import { describe, expect, test } from 'vitest';
import { chart } from '../../demos/train/chart.js';
import { ticks } from '../../demos/train/panel.js';
import type { Curve } from '../../demos/train/run.js';

/** A run that learns: 30 readings, 3 epochs. */
const curve: Curve = {
  steps: Array.from({ length: 30 }, (_, i) => [10 * (i + 1), 2.3 * Math.exp(-i / 8)] as const),
  epochs: [1, 2, 3].map((epoch) => ({
    epoch,
    step: 100 * epoch,
    loss: 1 / epoch,
    testLoss: 1.1 / epoch,
    testAccuracy: 0.9 + 0.02 * epoch,
  })),
};

/** Numbers of a path's `d` or of attributes. */
const places = (svg: string) =>
  [...svg.matchAll(/ (?:d|cx|cy|x|y|x1|x2|y1|y2)="([^"]*)"/g)].flatMap(([, text]) =>
    (text ?? '')
      .split(/[ML ]+/)
      .filter(Boolean)
      .map(Number),
  );

describe('the chart', () => {
  test.each([
    ['nothing', { steps: [], epochs: [] }],
    ['one reading', { steps: [[10, 2.3]], epochs: [] }],
    ['a run', curve],
    [
      'a diverged run',
      {
        ...curve,
        steps: [
          [10, 2.3],
          [20, Number.NaN],
          [30, Number.POSITIVE_INFINITY],
        ],
      },
    ],
    [
      'a constant loss of 0',
      {
        steps: [
          [10, 0],
          [20, 0],
        ],
        epochs: [],
      },
    ],
    ['a long run', { ...curve, steps: Array.from({ length: 50_000 }, (_, i) => [i + 1, Math.sin(i)]) }],
  ] as [string, Curve][])('%s: whole, and every place within it', (_, given) => {
    const svg = chart(given, { title: 'Loss & accuracy', subtitle: '<mlp>' });
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/);
    expect(svg.replace(/aria-label="[^"]*"/, '')).not.toMatch(/NaN|Infinity|undefined/);
    expect(places(svg).filter((place) => !(place >= 0 && place <= 880))).toEqual([]);
    expect(svg.length).toBeLessThan(40_000);
  });

  test('text is escaped', () => {
    const svg = chart(curve, { title: 'a <b> & "c"', subtitle: '</svg>' });
    expect(svg).toContain('a &#60;b&#62; &#38; &#34;c&#34;</text>');
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
  });

  test('what it shows is told in words too', () => {
    expect(chart(curve, { title: 'A run' })).toContain(
      'aria-label="A run. Training loss 0.0613 at step 300; test accuracy 96.00 % after epoch 3."',
    );
  });

  test('a point for each epoch, in both panels, and the last accuracy', () => {
    const svg = chart(curve, { title: 'A run' });
    expect(svg.match(/<circle/g)).toHaveLength(6);
    expect(svg).toContain('>96.00 %</text>');
  });

  test('the axis reaches to the end of a run under way', () => {
    const half = chart(curve, { title: 'A run', steps: 600 });
    const whole = chart(curve, { title: 'A run' });
    const right = (svg: string) => Math.max(...[...svg.matchAll(/cx="([^"]*)"/g)].map(([, x]) => Number(x)));
    expect(right(half)).toBeCloseTo(504 + 352 / 2, 0);
    expect(right(whole)).toBeCloseTo(504 + 352, 0);
  });
});

test.each([
  [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0, 2.4, 5, [0, 0.5, 1, 1.5, 2, 2.5]],
  [88, 100, 5, [85, 90, 95, 100]],
  [0, 1500, 4, [0, 500, 1000, 1500]],
  [0, 0, 4, [0]],
])('ticks from %d to %d', (from, to, count, expected) => expect(ticks(from, to, count)).toEqual(expected));
