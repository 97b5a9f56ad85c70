import { Html, html } from './html.js';

/** Turns a title such as `Class by class` into an id for links: `class-by-class`. */
function slug(title: string): string {
  const words = title
    .replace(/<[^>]*>|&[^;]*;/g, ' ')
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return words === null ? 'section' : words.slice(0, 4).join('-');
}

/**
 * Makes a section of each heading `<h2>` and the HTML up to the next heading. Puts a list of contents with a
 * link to each section before the first one. Sections keep a heading and its text together in print.
 */
export function withContents(body: Html): Html {
  const [before, ...parts] = body.text.split(/(?=<h2>)/);
  const used = new Set<string>();
  const entries = parts.map((part) => {
    const title = /^<h2>([\s\S]*?)<\/h2>/.exec(part)?.[1] ?? '';
    const base = slug(title);
    let id = base;
    for (let i = 2; used.has(id); i++) id = `${base}-${i}`;
    used.add(id);
    return { id, title: new Html(title), part: new Html(part) };
  });
  const links = entries.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`);
  const sections = entries.map(({ id, part }) => html`<section id="${id}">${part}</section>`);
  return html`${new Html(before)}<nav aria-label="Contents"><ul>${links}</ul></nav>${sections}`;
}
