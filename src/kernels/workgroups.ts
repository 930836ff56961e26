/** WebGPU's default limit on workgroups in each dimension of a dispatch. */
export const MAXIMUM_WORKGROUPS = 65535;

/** One dispatch holds at most 65535 workgroups a dimension, so a long grid folds into y: `[x, y, 1]`. */
export function foldGrid(groups: number): [number, number, number] {
  if (groups <= MAXIMUM_WORKGROUPS) return [groups, 1, 1];
  const y = Math.ceil(groups / MAXIMUM_WORKGROUPS);
  return [Math.ceil(groups / y), y, 1];
}

/** Invocations of a workgroup that takes a row each: few rows go in small workgroups, so that every core gets some. */
export function rowsPerWorkgroup(rows: number): number {
  return rows < 1024 ? 4 : 64;
}
