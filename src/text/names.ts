/** White space at the ends of a name, and zero-width characters, which are invisible there. */
const ends = /^[\s\u200b\u2060\ufeff]+|[\s\u200b\u2060\ufeff]+$/gu;

/**
 * The normal form of a name or label: composed characters (Unicode's NFC), without white space at the ends.
 * Inner white space and case stay. Names are stored, shown and compared in this form. Files are opened by the
 * name on the disk.
 */
export function normalName(text: string): string {
  return text.normalize('NFC').replace(ends, '');
}

/**
 * Characters without a look of their own: soft hyphens, zero-width spaces, marks of the writing direction.
 * Joiners change letters of some scripts, but not those of ASCII.
 */
const invisible =
  /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|(?<![^ -~])[\u200c\u200d](?![^ -~])/gu;

/**
 * The name of a class: the {@link normalName}, with a plain space for any inner white space, and without
 * characters that are invisible. So names that look the same are the same.
 */
export function classNameOf(text: string): string {
  return normalName(text.replace(invisible, '').replace(/\s+/gu, ' '));
}

/** Whether two names have the same {@link normalName}. */
export function sameName(a: string, b: string): boolean {
  return normalName(a) === normalName(b);
}

/**
 * Groups of different spellings of one class ({@link classNameOf}), such as `é` in one character and in two.
 */
export function likeNames(names: Iterable<string>): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of new Set(names)) {
    const normal = classNameOf(name);
    const group = groups.get(normal);
    if (group === undefined) groups.set(normal, [name]);
    else group.push(name);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
}

/**
 * A name with characters beyond printable ASCII as `\u{e9}`. It makes the spelling visible in messages about
 * names that look the same.
 */
export function spelling(name: string): string {
  return name.replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/**
 * Groups of names that differ in capitals alone, such as `Cat` and `cat`, each in the order of its
 * characters.
 */
export function caseTwins(names: Iterable<string>): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of new Set(names)) {
    groups.set(name.toLowerCase(), [...(groups.get(name.toLowerCase()) ?? []), name]);
  }
  return [...groups.values()].filter(({ length }) => length > 1).map((group) => group.sort());
}
