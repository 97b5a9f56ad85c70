/**
 * The page's style: one column of readable width, light and dark, colors that color-blind readers can
 * distinguish.
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1b1f24; --muted: #5b6470; --rule: #c9cfd7; --grid: #e7eaee;
  --blue: #1d5fa8; --orange: #bf4e05; --hit: 29 95 168; --miss: 191 78 5; --shade: rgb(0 0 0 / .3);
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1d2127; --ink: #e8eaed; --muted: #a3acb8; --rule: #454d57; --grid: #2a3038;
    --blue: #6fb1f5; --orange: #f59b57; --hit: 44 112 190; --miss: 200 88 18; --shade: rgb(255 255 255 / .35);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
header { border-bottom: 1px solid var(--rule); padding-bottom: 1.75rem; }
.overline { margin: 0; color: var(--muted); font-size: .875rem; }
h1 { margin: .1rem 0 .6rem; font-size: 2.1rem; line-height: 1.2; letter-spacing: -.015em; text-wrap: balance; }
h2 { margin: 3rem 0 .35rem; font-size: 1.3rem; line-height: 1.3; letter-spacing: -.005em; }
h3 { margin: 0 0 .5rem; font-size: 1rem; }
p { margin: 0 0 1rem; max-width: 44rem; }
.lead { font-size: 1.1rem; }
.hint { color: var(--muted); font-size: .925rem; }
.note { border-left: 4px solid var(--orange); background: var(--panel); padding: .6rem 1rem; }
.tiles { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1.25rem 2rem; margin: 1.6rem 0 0; }
.tiles dt { color: var(--muted); font-size: .875rem; }
.tiles dd { margin: 0; font-size: 1.75rem; line-height: 1.3; font-weight: 600; letter-spacing: -.01em; }
.tiles dd small { display: block; font-size: .85rem; line-height: 1.4; font-weight: 400; letter-spacing: 0; color: var(--muted); }
.tiles.even { display: grid; grid-template-columns: repeat(4, auto); }
.synthetic { font-size: 1.1rem; border: 2px solid var(--orange); border-left-width: 8px; max-width: none; }
.disclaimer { margin: 1.25rem 0 0; max-width: none; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.25rem; margin-top: 1rem; }
.charts figure { margin: 0; max-width: 36rem; }
.charts figcaption { color: var(--muted); font-size: .875rem; line-height: 1.45; }
.charts svg { display: block; width: 100%; height: auto; overflow: visible; }
.scroll {
  overflow-x: auto; margin: 1rem 0;
  /* Shadows at the edges show that a table continues; covers that move with its contents hide them at its ends. */
  background:
    linear-gradient(to right, var(--paper) 40%, transparent) left / 3rem 100% no-repeat local,
    linear-gradient(to left, var(--paper) 40%, transparent) right / 3rem 100% no-repeat local,
    linear-gradient(to right, var(--shade), transparent) left / 1rem 100% no-repeat scroll,
    linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll;
}
table { border-collapse: collapse; font-size: .925rem; font-variant-numeric: tabular-nums lining-nums; }
th, td { padding: .34rem .8rem; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: .5rem; }
thead th { color: var(--muted); font-weight: 500; border-bottom: 1px solid var(--rule); vertical-align: bottom; }
tbody th { font-weight: 500; }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
tfoot > tr:first-child > * { border-top: 1px solid var(--rule); }
tfoot th, tfoot td { font-weight: 600; }
.left { text-align: left; }
.mark { font-weight: 700; color: var(--orange); }
.best > * { background: var(--panel); font-weight: 600; }
.points td small { display: block; color: var(--muted); font-size: .8rem; line-height: 1.2; }
.points tbody th { white-space: normal; min-width: 8.5rem; }
.hashes { font-size: .85rem; margin: 1.25rem 0 0; }
.hashes dt { color: var(--muted); }
.hashes dd { margin: 0 0 .35rem; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: .8rem; }
.matrix { border-collapse: separate; border-spacing: 2px; font-size: .875rem; }
.matrix th, .matrix td { border: 0 !important; padding: .3rem; min-width: 3rem; height: 2.3rem; text-align: center; }
.matrix th { color: var(--ink); font-weight: 500; }
.matrix thead th { max-width: 10rem; white-space: normal; }
.matrix tbody th, .matrix .corner { text-align: right; padding-right: .6rem; }
.matrix .axis, .matrix .corner { color: var(--muted); font-weight: 400; }
.matrix td { border-radius: 3px; background: var(--panel); }
.matrix .hit { background: rgb(var(--hit) / var(--a)); }
.matrix .miss { background: rgb(var(--miss) / var(--a)); }
.matrix.few thead tr:last-child th:not(.corner):not(.total) { width: 8rem; }
.matrix.dense th, .matrix.dense td { min-width: 2.05rem; height: 1.95rem; padding: .1rem; }
.matrix.dense tbody th { padding-right: .5rem; }
.matrix .deep { color: #fff; font-weight: 600; }
.matrix .none { color: var(--muted); opacity: .45; }
.matrix .total { background: none; color: var(--muted); text-align: right; padding-left: .8rem; }
.matrix .tall span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 11rem; overflow: hidden; text-overflow: ellipsis; }
.matrix .tall th { white-space: nowrap; }
.matrix .tall th:not(.corner):not(.total) { vertical-align: bottom; }
.matrix tbody th { white-space: nowrap; position: sticky; left: 0; background: var(--paper); max-width: 14rem; overflow: hidden; text-overflow: ellipsis; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1.1rem; margin: 1.25rem 0; }
.gallery figure { margin: 0; background: var(--panel); border-radius: 6px; overflow: hidden; break-inside: avoid; }
.gallery img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; background: #000; }
.gallery img.small { image-rendering: pixelated; }
.gallery figcaption { padding: .5rem .7rem .6rem; font-size: .875rem; line-height: 1.45; overflow-wrap: anywhere; }
.gallery figcaption b { font-weight: 600; }
.gallery figcaption .wrong { color: var(--orange); }
.gallery figcaption small { display: block; color: var(--muted); font-size: .8rem; }
.gallery .enlarge { display: block; cursor: zoom-in; }
.gallery .close { display: none; }
.gallery figure:target { position: fixed; inset: 0; z-index: 1; border-radius: 0; display: flex; flex-direction: column; }
.gallery figure:target .enlarge { flex: 1; min-height: 0; pointer-events: none; }
.gallery figure:target img { height: 100%; aspect-ratio: auto; }
.gallery figure:target .close { display: block; position: absolute; inset: 0; cursor: zoom-out; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: 1.25rem 0 0; padding: 0; list-style: none; font-size: .925rem; }
a { color: var(--blue); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1.75rem 3rem; margin-top: 1.25rem; }
.facts dl { display: grid; grid-template-columns: minmax(8.25rem, auto) 1fr; gap: .25rem 1rem; margin: 0; font-size: .925rem; align-content: start; }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; color: var(--blue); margin: .75rem 0; }
footer { margin-top: 3.5rem; border-top: 1px solid var(--rule); padding-top: 1rem; color: var(--muted); font-size: .85rem; }
@media (max-width: 40rem) {
  main { padding: 1.75rem 1rem 3rem; }
  h1 { font-size: 1.6rem; }
  .tiles, .tiles.even { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 1.25rem; }
  .tiles dd { font-size: 1.4rem; }
  table { font-size: .82rem; }
  th, td { padding: .3rem .4rem; }
  th:first-child, td:first-child { padding-left: .1rem; white-space: normal; }
  .matrix { border-spacing: 1px; font-size: .78rem; }
  .matrix.few thead tr:last-child th:not(.corner):not(.total) { width: 5.5rem; }
  .matrix .total { display: none; }
  .matrix th, .matrix td { min-width: 1.75rem; height: 1.75rem; padding: .1rem; }
  .gallery { grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .75rem; }
  .points thead th, .points td small { white-space: normal; }
  .points tbody th { min-width: 0; }
}
@media print {
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav, .gallery .close { display: none; }
  h2, h3, h2 + p, summary { break-after: avoid; }
  h2 { margin-top: 1.5rem; }
  p, figure, .tiles > div, tr, .facts > div, .hashes { break-inside: avoid; }
  /* What fits on a page stays together. */
  section:not(:has(.gallery, .points, tr:nth-child(20))) { break-inside: avoid; }
  .charts { display: block; }
  .charts figure { display: inline-block; width: 48%; vertical-align: top; margin: 0 1% 1rem 0; }
  .scroll { overflow: visible; background: none; }
  footer { margin-top: 1rem; padding-bottom: 0; }
  .matrix td, .best > *, .note { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
