import { visibleText } from '../text/visible.js';

/** Text that is HTML already, so it must not be escaped again. */
export class Html {
  constructor(readonly text: string) {}
}

type Part = Html | string | number | readonly Html[] | null | undefined;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map((item) => item.text).join('');
  return visibleText(String(part)).replace(/[&<>"']/g, (character) => entities[character]);
}

/** A template of HTML that escapes every inserted text. Attribute values must be in quotes. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]) + string));
}

/** A short text that is never broken across lines. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0').replaceAll('–', '\u2060–\u2060');
}
