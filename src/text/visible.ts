/**
 * Control characters, line and paragraph separators, changes of the writing direction, lone surrogates. File
 * names and labels may contain them. On a terminal they could move the cursor, set the window's title, fake a
 * line or reverse a name.
 */
const hidden = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return short[character] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`);
}

/** A text as one line with escapes for {@link hidden} characters: `\n`, `\x1b`, `\u202e`. */
export function visibleLine(text: string): string {
  return text.replace(hidden, escaped);
}

/** Like {@link visibleLine}, but line breaks stay. */
export function visibleText(text: string): string {
  return text.replace(hidden, (character) => (character === '\n' ? character : escaped(character)));
}

/** JSON in which {@link hidden} characters are escaped too: every parser reads the same value. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    hidden,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The name of a file from its bytes; `null` if they are not UTF-8. */
export function nameOfBytes(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** A file's name that is not UTF-8, for messages: bytes beyond printable ASCII become `\xfc`. */
export function visibleBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
