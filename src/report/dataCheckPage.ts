import { formatCount, formatMetric } from '../text/numbers.js';
import { type Html, html, Html as Raw, unbroken } from './html.js';
import { style } from './style.js';

/** A finding on the page, with its pictures. */
export interface FindingOnPage {
  readonly message: string;
  /** The decision that the tables propose. */
  readonly decision: string;
  readonly pictures: readonly { readonly name: string; readonly label: string; readonly image: Uint8Array | null }[];
}

export interface DataCheckPage {
  readonly title: string;
  readonly version: string;
  readonly classNames: readonly string[];
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** Sizes, formats and cameras. */
  readonly properties: { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] };
  readonly sections: readonly {
    readonly title: string;
    readonly findings: readonly FindingOnPage[];
    /** Findings that are in the tables only. */
    readonly more: number;
  }[];
  readonly shortcuts: readonly {
    readonly property: string;
    readonly text: string;
    readonly suspicious: boolean;
  }[];
  readonly notes: readonly string[];
}

/** The result of a data check as one HTML file that needs no other files, scripts or network. */
export function renderDataCheck(data: DataCheckPage): string {
  const { title, version, classNames, counts, properties, sections, shortcuts, notes } = data;
  const rows = Object.entries(counts).map(
    ([part, each]) =>
      html`<tr><th scope="row">${part}</th>${each.map((count) => html`<td>${formatCount(count)}</td>`)}</tr>`,
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${title} – data check</title>
<style>${new Raw(style)}
.found{display:flex;gap:12px;flex-wrap:wrap;margin:14px 0;align-items:flex-start}.found>div{max-width:140px}
.found img{max-width:128px;max-height:128px;image-rendering:auto}.found div small{font-size:.8em;overflow-wrap:anywhere}</style>
</head>
<body>
<main>
<header><p class="overline">Data check</p><h1>${title}</h1></header>
${notes.map((note) => html`<p class="note">${note}</p>`)}
<h2>Pictures</h2>
<div class="scroll"><table><thead><tr><th scope="col">Part</th>${classNames.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>
${properties.rows.length === 0 ? null : propertySection(properties)}
${sections.map(({ title: name, findings, more }) => html`<h2>${name}</h2>${findings.map(ofFinding)}${more === 0 ? null : html`<p>${formatCount(more)} more are in check.json.</p>`}`)}
<h2>Shortcut probe</h2>
<p>How well a property alone predicts the class, in five folds. A network may use such a property instead of the contents.</p>
<div class="scroll"><table><tbody>${shortcuts.map(({ property, text, suspicious }) => html`<tr><th scope="row">${property}</th><td>${unbroken(text)}</td><td>${suspicious ? 'predicts the class' : ''}</td></tr>`)}</tbody></table></div>
<footer>Made by Fovea ${version}. The check has changed nothing. Edit exclude.csv and relabel.csv, and give their folder to fixes.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function propertySection({ header, rows }: DataCheckPage['properties']): Html {
  return html`<h2>Sizes, formats and cameras</h2>
<div class="scroll"><table><thead><tr>${header.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody></table></div>`;
}

function ofFinding({ message, decision, pictures }: FindingOnPage): Html {
  return html`<div class="found">${pictures.map(
    ({ name, label, image }) =>
      html`<div>${image === null ? null : html`<img alt="" src="data:image/png;base64,${Buffer.from(image).toString('base64')}">`}<small>${name}<br>${label}</small></div>`,
  )}<p>${message}.<br><b>${decision}</b></p></div>`;
}

/** A value with its interval. */
export function shortcutText(
  shortcut:
    | { readonly value: null; readonly reason: string }
    | {
        readonly measure: 'auc' | 'accuracy';
        readonly value: number;
        readonly interval: readonly [number, number];
        readonly chance: number;
      },
): string {
  if (shortcut.value === null) return `none, because ${shortcut.reason}`;
  const { measure, value, interval, chance } = shortcut;
  const name = measure === 'auc' ? 'AUC' : 'accuracy';
  return `${name} ${formatMetric(value)} (${formatMetric(interval[0])} to ${formatMetric(interval[1])}; chance ${formatMetric(chance)})`;
}
