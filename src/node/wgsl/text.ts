/** Text of WGSL: just enough reading to quote types as they are written. */

/** Comments become spaces: offsets and lines stay. */
export function blankComments(code: string): string {
  return code.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '));
}

/** The code without comments, indentation and empty lines: what is shipped. */
export function compact(code: string): string {
  return blankComments(code)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}

/** Splits at `separator` where no bracket, brace, parenthesis or template is open. */
export function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    // The > of an arrow closes nothing.
    if (character === '>' && text[at - 1] === '-') continue;
    if ('([{<'.includes(character)) depth++;
    else if (')]}>'.includes(character)) depth--;
    else if (depth === 0 && character === separator) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** `@builtin(position) @align(16) name : type` without its attributes, in single spaces. */
export function withoutAttributes(text: string): string {
  return text
    .replace(/@\w+\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** `name: type`, each trimmed; the type is empty where none is written. */
export function nameAndType(text: string): { name: string; type: string } {
  const plain = withoutAttributes(text);
  const colon = plain.indexOf(':');
  if (colon < 0) return { name: plain, type: '' };
  return { name: plain.slice(0, colon).trim(), type: plain.slice(colon + 1).trim() };
}
