import { visibleLine } from '../text/visible.js';
import { type Html, html, Html as Raw } from './html.js';
import { style } from './style.js';

/** A part of a document. Texts are plain. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | {
      readonly kind: 'table';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
      /** Rows with too few samples to say much. */
      readonly faint?: readonly boolean[] | undefined;
    }
  /** Pictures of the page alone; Markdown leaves them out. */
  | { readonly kind: 'figure'; readonly picture: Html };

export const heading = (level: 1 | 2 | 3, text: string): Block => ({ kind: 'heading', level, text });
export const paragraph = (text: string): Block => ({ kind: 'paragraph', text });
export const list = (items: readonly string[]): Block => ({ kind: 'list', items });
export const table = (
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  faint?: readonly boolean[],
): Block => ({ kind: 'table', columns, rows, faint });
export const figure = (picture: Html): Block => ({ kind: 'figure', picture });

/** The document as Markdown, without pictures. Faint rows are in italics. */
export function toMarkdown(blocks: readonly Block[]): string {
  const texts = blocks.flatMap((block) => (block.kind === 'figure' ? [] : [markdownOf(block)]));
  return `${texts.join('\n\n')}\n`;
}

function markdownOf(block: Exclude<Block, { readonly kind: 'figure' }>): string {
  if (block.kind === 'heading') return `${'#'.repeat(block.level)} ${cell(block.text)}`;
  if (block.kind === 'paragraph') return cell(block.text);
  if (block.kind === 'list') return block.items.map((item) => `- ${cell(item)}`).join('\n');
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const rows = block.rows.map((row, i) =>
    line(block.faint?.[i] === true ? row.map((text) => (text === '' ? '' : `_${text}_`)) : row),
  );
  return [line(block.columns), line(block.columns.map(() => '---')), ...rows].join('\n');
}

function cell(text: string): string {
  return visibleLine(text).replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

/** The document as one HTML file that needs no other files, scripts or network. */
export function toPage(title: string, blocks: readonly Block[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Raw(style)}
.faint td{opacity:.5}td{vertical-align:top}</style>
</head>
<body><main>${blocks.map(htmlOf)}</main></body>
</html>
`.text;
}

function htmlOf(block: Block): Html {
  if (block.kind === 'figure') return block.picture;
  if (block.kind === 'paragraph') return html`<p>${block.text}</p>`;
  if (block.kind === 'list') return html`<ul>${block.items.map((item) => html`<li>${item}</li>`)}</ul>`;
  if (block.kind === 'heading') {
    if (block.level === 1) return html`<h1>${block.text}</h1>`;
    return block.level === 2 ? html`<h2>${block.text}</h2>` : html`<h3>${block.text}</h3>`;
  }
  const rows = block.rows.map((row, i) => {
    const faint = block.faint?.[i] === true ? html` class="faint"` : null;
    return html`<tr${faint}>${row.map((text) => html`<td>${text}</td>`)}</tr>`;
  });
  return html`<div class="scroll"><table><thead><tr>${block.columns.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
