/** A key that one object of a JSON text has twice; `at` is where the second begins, in UTF-16 units. */
export interface DuplicateKey {
  readonly key: string;
  readonly at: number;
}

/**
 * The first key that stands twice in one object of a JSON text, at any depth: `JSON.parse` keeps the last value and
 * says nothing.
 *
 * @param json text that `JSON.parse` accepts; nothing is checked here.
 */
export function findDuplicateKey(json: string): DuplicateKey | undefined {
  // One entry for each open object (its keys so far) or array (undefined).
  const open: (Set<string> | undefined)[] = [];
  // In valid JSON a brace outside a string is a brace, and a string is a key when a colon follows it.
  // A scanner by hand: a regular expression's stack overflows on a string of many megabytes.
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      const end = endOfString(json, at);
      const keys = open.at(-1);
      if (keys !== undefined && json[skipSpace(json, end)] === ':') {
        const key: string = JSON.parse(json.slice(at, end));
        if (keys.has(key)) return { key, at };
        keys.add(key);
      }
      at = end - 1;
    }
  }
  return undefined;
}

/** Just past the closing quote of the string that begins at `at`. */
function endOfString(json: string, at: number): number {
  let end = at + 1;
  while (end < json.length && json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
  return end + 1;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\n\r'.includes(json[at] ?? '')) at++;
  return at;
}
