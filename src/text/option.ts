/**
 * Refers to an option in a message, as callers write it in code: `` `out` ``, or `` `onBadImage: 'skip'` ``
 * with a value. The command line turns such a reference into a flag.
 */
export function option(name: string, value?: string): string {
  return value === undefined ? `\`${name}\`` : `\`${name}: '${value}'\``;
}
