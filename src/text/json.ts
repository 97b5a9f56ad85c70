/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** A limit far above the nesting of this project's files, which is a few levels. */
const maxDepth = 100;

/**
 * Parses JSON from an untrusted file.
 *
 * @throws {SyntaxError} for text that is not JSON, or nests deeper than any file of this project: recursive
 *   code would overflow the stack on such a value
 */
export function parseJson(text: string): unknown {
  let depth = 0;
  let isString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) isString = !isString;
    else if (isString) {
      // An escaped quote does not end the string.
      if (code === 0x5c) i++;
    } else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) throw new SyntaxError(`brackets nested deeper than ${maxDepth} levels`);
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return JSON.parse(text);
}
