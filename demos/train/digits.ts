import type { ImageDataset } from '../../src/index.js';

export interface Prediction {
  readonly label: number;
  readonly confidence: number;
}

/** Test images that are shown always: how the model takes them changes as it learns. */
const SHOWN = 10;
/** The first test images, searched for mistakes. */
export const SEARCHED = 500;
const MISTAKES = 10;

/** Shows the first test images, and the first mistakes among more of them. */
export function showDigits(dataset: ImageDataset, predictions: readonly Prediction[] | undefined): void {
  const shown = Math.min(SHOWN, dataset.test.labels.length);
  list('digits').replaceChildren(...Array.from({ length: shown }, (_, i) => item(dataset, i, predictions?.[i])));
  const wrong = (predictions ?? []).flatMap(({ label }, i) => (label === dataset.test.labels[i] ? [] : [i]));
  list('mistakes').replaceChildren(...wrong.slice(0, MISTAKES).map((i) => item(dataset, i, predictions?.[i])));
  if (predictions !== undefined) list('mistakes-note').textContent = note(wrong.length, predictions.length);
}

function note(wrong: number, all: number): string {
  if (wrong === 0) return `None among the first ${all} test images.`;
  const share = `${wrong} of the first ${all} test images`;
  return wrong > MISTAKES ? `${share}; here are ${MISTAKES} of them.` : `${share}.`;
}

function item(dataset: ImageDataset, index: number, prediction: Prediction | undefined): HTMLElement {
  const element = document.createElement('li');
  const { classNames, test } = dataset;
  const name = classNames[test.labels[index] ?? 0] ?? '';
  const canvas = picture(dataset, index);
  element.append(canvas, document.createElement('br'));
  if (prediction === undefined) {
    canvas.setAttribute('aria-label', `an image of ${name}`);
    element.append(name);
    return element;
  }
  const guess = classNames[prediction.label] ?? '';
  const wrong = prediction.label !== test.labels[index];
  const sure = `${Math.round(100 * prediction.confidence)} %`;
  element.className = wrong ? 'wrong' : '';
  canvas.setAttribute('aria-label', `an image of ${name}, taken for ${guess}${wrong ? ', wrong' : ''}, ${sure} sure`);
  const text = document.createElement('span');
  // The mark does not depend on colour.
  text.textContent = wrong ? `✗ ${guess}, is ${name}` : `✓ ${guess}`;
  element.append(text, document.createElement('br'), sure);
  return element;
}

function picture({ test, height, width }: ImageDataset, index: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.setAttribute('role', 'img');
  const context = canvas.getContext('2d');
  const image = new ImageData(width, height);
  const start = index * height * width;
  for (let i = 0; i < height * width; i++) {
    const grey = 255 - Math.round(255 * (test.images[start + i] ?? 0));
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  context?.putImageData(image, 0, 0);
  return canvas;
}

function list(id: string): HTMLElement {
  return document.getElementById(id) as HTMLElement;
}
