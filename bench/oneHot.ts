/** Labels as rows of zeros with a one, for peers whose losses take no indices: [labels, classes]. */
export function oneHot(labels: Uint32Array, classes: number): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    rows[row * classes + label] = 1;
  });
  return rows;
}
