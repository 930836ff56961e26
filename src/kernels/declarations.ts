import type { WgslDeclaration } from './wgslModule.js';

const KINDS = /^(const|alias|fn|struct|override|var)\b/;

/**
 * Where each top-level declaration of WGSL stands: enough to exchange one whole, without a parser.
 * Comments are passed over; braces, brackets and parentheses are matched.
 */
export function declarationsOf(code: string): Record<string, WgslDeclaration> {
  const found: Record<string, WgslDeclaration> = {};
  let at = skipBlank(code, 0);
  while (at < code.length) {
    const start = at;
    let kind: WgslDeclaration['kind'] | undefined;
    let name: string | undefined;
    let depth = 0;
    for (; at < code.length; at++) {
      const next = skipBlank(code, at);
      if (next !== at) at = next;
      const rest = code.slice(at, at + 200);
      if (depth === 0 && kind === undefined) {
        const [word] = /^[A-Za-z_]\w*/.exec(rest) ?? [];
        if (word !== undefined) {
          if (KINDS.test(rest)) {
            kind = word as WgslDeclaration['kind'];
            name = /^\w+(?:\s*<[^>]*>)?\s+([A-Za-z_]\w*)/.exec(rest)?.[1];
          }
          at += word.length - 1;
          continue;
        }
      }
      const character = code[at] ?? '';
      if ('({['.includes(character)) depth++;
      else if (')}]'.includes(character)) depth--;
      if (depth === 0 && (character === ';' || (character === '}' && kind !== undefined))) break;
    }
    at = Math.min(at + 1, code.length);
    if (kind !== undefined && name !== undefined) found[name] = { kind, start, end: at };
    at = skipBlank(code, at);
  }
  return found;
}

function skipBlank(code: string, from: number): number {
  let at = from;
  for (;;) {
    const rest = code.slice(at, at + 2);
    if (/^\s/.test(rest)) at++;
    else if (rest === '//') {
      const end = code.indexOf('\n', at);
      at = end < 0 ? code.length : end + 1;
    } else if (rest === '/*') {
      const end = code.indexOf('*/', at);
      at = end < 0 ? code.length : end + 2;
    } else return at;
  }
}
