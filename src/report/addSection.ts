import { type Html, html } from './html.js';

/** The section before which others are added: it is the last one of every report. */
const last = '<section id="how-it-was-made">';

/**
 * Puts a section into a report that was written before, with its link among the contents. An older section of
 * the same name is replaced.
 *
 * @returns null for a page that is no report
 */
export function addSection(page: string, id: string, title: string, body: Html): string | null {
  const without = removed(removed(page, `<li><a href="#${id}">`, '</li>'), `<section id="${id}">`, '</section>');
  const place = without.indexOf(last);
  const link = '<li><a href="#how-it-was-made">';
  const linkPlace = without.indexOf(link);
  if (place < 0 || linkPlace < 0 || linkPlace > place) return null;
  return [
    without.slice(0, linkPlace),
    html`<li><a href="#${id}">${title}</a></li>`.text,
    without.slice(linkPlace, place),
    html`<section id="${id}">${body}</section>`.text,
    without.slice(place),
  ].join('');
}

/** Without the first part from a start to the end that follows it. */
function removed(page: string, start: string, end: string): string {
  const from = page.indexOf(start);
  if (from < 0) return page;
  const to = page.indexOf(end, from);
  return to < 0 ? page : page.slice(0, from) + page.slice(to + end.length);
}
