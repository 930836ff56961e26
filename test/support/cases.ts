/** One case of a table: the value of each parameter, and a label that names it: `-t "rows 3, classes 33"`. */
export type Case<T> = { readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item : never } & {
  readonly label: string;
};

/** The product of the lists: every combination, the last varying fastest. */
export function cases<const T extends Readonly<Record<string, readonly unknown[]>>>(table: T): Case<T>[] {
  let rows: Record<string, unknown>[] = [{}];
  for (const [name, values] of Object.entries(table)) {
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return rows.map((row) => ({ ...row, label: labelOf(row) }) as unknown as Case<T>);
}

function labelOf(row: Readonly<Record<string, unknown>>): string {
  return Object.entries(row)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ');
}

/** `[3, 7]`, `f32`, `{"axes":[0]}`, a tensor op's name. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null && 'name' in value) return String(value.name);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
