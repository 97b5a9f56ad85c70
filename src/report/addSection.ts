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
  const without = page
    .replace(new RegExp(`<li><a href="#${id}">[^<]*</a></li>`), '')
    .replace(new RegExp(`<section id="${id}">(?:(?!<section)[\\s\\S])*?</section>`), '');
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
