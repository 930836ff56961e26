import { expect, test } from 'vitest';
import { metrics } from '../../src/index.js';
import { reliabilityOf } from '../../src/metrics/reliability.js';
import { random } from '../support/random.js';

const draws = random(6);
const confidence = Float64Array.from({ length: 200 }, () => draws.uniform(0.5, 1));
const right = Float64Array.from(confidence, (c) => Number(draws.unit() < c * c));

const one = (confident: number, isRight: number) =>
  reliabilityOf(new Float64Array([confident]), new Float64Array([isRight]), { bins: 15, binning: 'width' });

const diagrams = {
  'equal widths': reliabilityOf(confidence, right, { bins: 15, binning: 'width' }),
  'equal mass': reliabilityOf(confidence, right, { bins: 10, binning: 'mass' }),
  'one row, certain': one(1, 1),
  'one row with NaN': one(Number.NaN, 0),
  'no rows': reliabilityOf(new Float64Array(0), new Float64Array(0), { bins: 3, binning: 'mass' }),
};

test.each(Object.entries(diagrams))(
  '%s: an SVG that needs nothing besides, a bar for each bin with rows',
  (_, given) => {
    const svg = metrics.reliabilitySvg(given, { title: 'a <set> & "more"' });
    const { documentElement: root } = new DOMParser().parseFromString(svg, 'image/svg+xml');
    expect(root.querySelector('parsererror')).toBeNull();
    expect(root.querySelector('.title')?.textContent).toBe('a <set> & "more"');
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:|url\(|href/);
    const filled = given.bins.filter(({ count }) => count > 0);
    const rects = (kind: string) => [...root.querySelectorAll(`.${kind}`)].map(frameOf);
    expect(rects('bar')).toHaveLength(filled.length);
    // The diagonal gives the scale: from (0, 0) to (1, 1).
    const [left = 0, right_ = 0] = ['x1', 'x2'].map((name) => Number(root.querySelector('.even')?.getAttribute(name)));
    const [bottom = 0, top = 0] = ['y1', 'y2'].map((name) => Number(root.querySelector('.even')?.getAttribute(name)));
    filled.forEach((bin, i) => {
      const [bar, gap, rows] = ['bar', 'gap', 'rows'].map((kind) => rects(kind)[i]) as [Frame, Frame, Frame];
      // Places are rounded to a tenth of a pixel, each end of a length on its own.
      expect(bar.height).toBeCloseTo((bottom - top) * bin.accuracy, 0);
      expect(gap.height).toBeCloseTo((bottom - top) * Math.abs(bin.accuracy - bin.confidence), 0);
      expect(bar.x).toBeCloseTo(left + (right_ - left) * bin.from, 0);
      expect(bar.x + bar.width).toBeLessThanOrEqual(right_ + 1);
      expect(rows.height / (rects('rows')[0]?.height ?? 0)).toBeCloseTo(bin.count / (filled[0]?.count ?? 0), 0);
    });
  },
);

interface Frame {
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

function frameOf(element: Element): Frame {
  const [x = 0, width = 0, height = 0] = ['x', 'width', 'height'].map((name) => Number(element.getAttribute(name)));
  return { x, width, height };
}
