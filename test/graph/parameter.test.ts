import { describe, expect, test } from 'vitest';
import {
  compile,
  multiply,
  Parameter,
  permute,
  reshape,
  stopGradient,
  type Tensor,
  tensor,
  toF32,
} from '../../src/index.js';
import { useEngine } from '../support/engine.js';

useEngine();
const read = async (x: Tensor) => Array.from(await x.data());

describe('a parameter made from another (a target network) starts from its value then', () => {
  const copies: [string, (w: Parameter) => Tensor, number][] = [
    ['itself', (w) => w, 1],
    ['toF32', (w) => toF32(w), 1],
    ['reshape', (w) => reshape(w, w.shape), 1],
    ['permute', (w) => permute(w, [0]), 1],
    ['stopGradient', (w) => stopGradient(w), 1],
    ['times one', (w) => multiply(w, 1), 1],
    ['times two', (w) => multiply(w, 2), 2],
    ['a longer chain', (w) => multiply(stopGradient(multiply(w, 2)), tensor([1, 1])), 2],
  ];

  test.each(copies)('%s', async (_, copy, factor) => {
    const w = new Parameter([1, 2]);
    const target = new Parameter(copy(w));
    w.assign([3, 4]);
    expect(await read(target)).toEqual([factor, 2 * factor]);
    expect(await read(w)).toEqual([3, 4]);
  });

  test.each(copies)('%s, in a step that changes the other', async (_, copy, factor) => {
    const w = new Parameter([1, 2]);
    const target = new Parameter(copy(w));
    const step = compile(() => {
      w.assign(multiply(w, 10));
      return multiply(target, 1);
    });
    expect(await read(step())).toEqual([factor, 2 * factor]);
    expect(await read(step())).toEqual([factor, 2 * factor]);
    expect(await read(w)).toEqual([100, 200]);
  });
});
