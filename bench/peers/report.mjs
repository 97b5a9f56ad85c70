/** Turns measurements into tables. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { titles } from './plan.mjs';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Each variant of a peer with the median over rounds of the medians, in order of appearance. */
function variantsOf(results, peer) {
  const own = results.filter((result) => result.peer === peer);
  return [...new Set(own.map(({ variant }) => variant))].map((variant) => {
    const runs = own.filter((result) => result.variant === variant && result.times !== undefined);
    const { error } = own.find((result) => result.variant === variant && result.error !== undefined) ?? {};
    if (runs.length === 0) return { variant, rounds: 0, error };
    const rss = runs.map(({ peakRssMiB }) => peakRssMiB).filter((mebibytes) => mebibytes !== null);
    return {
      variant,
      rounds: runs.length,
      ms: median(runs.map(({ times }) => median(times))),
      rss: rss.length === 0 ? null : Math.max(...rss),
    };
  });
}

/** The fastest variant of a peer among those measured in most rounds; `undefined` if it has none. */
export function bestOf(results, peer) {
  const measured = variantsOf(results, peer).filter(({ rounds }) => rounds > 0);
  const most = Math.max(...measured.map(({ rounds }) => rounds));
  return measured.filter(({ rounds }) => rounds === most).sort((a, b) => a.ms - b.ms)[0];
}

function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}

/** Results by entry, in order. */
function entriesIn(results, mode) {
  const groups = new Map();
  for (const result of results) {
    if (result.mode !== mode) continue;
    const key = [result.network, result.batch, result.precision].join();
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups.values()];
}

const number = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));
const ratio = (a, b) => (a === undefined || b === undefined ? '–' : (a.ms / b.ms).toFixed(2));

/** One row an entry: a figure of each peer's best variant, and of how many times as long the others take. */
function comparison(results, mode, peers, figure) {
  const shown = peers.filter((peer) => results.some((result) => result.mode === mode && result.peer === peer));
  const others = shown.filter((peer) => peer !== 'floor' && peer !== 'fovea');
  const ratios = [
    ...(shown.includes('floor') ? ['Fovea / floor'] : []),
    ...others.map((peer) => `${titles[peer]} / Fovea`),
  ];
  const rows = entriesIn(results, mode).map((group) => {
    const best = Object.fromEntries(shown.map((peer) => [peer, bestOf(group, peer)]));
    const cell = (peer) => {
      if (best[peer] === undefined) return '–';
      const { variant } = best[peer];
      const named = variantsOf(group, peer).length > 1 || peer === 'tfjs' || peer === 'paddle';
      return `${number(figure(best[peer], group[0]))}${named ? ` (${variant})` : ''}`;
    };
    const { network, batch, precision } = group[0];
    return [
      `${network}, batch ${batch}, ${precision}`,
      ...shown.map(cell),
      ...(shown.includes('floor') ? [ratio(best.fovea, best.floor)] : []),
      ...others.map((peer) => ratio(best[peer], best.fovea)),
    ];
  });
  return table(['', ...shown.map((peer) => titles[peer]), ...ratios], rows);
}

function memory(results, mode, peers) {
  const shown = peers.filter(
    (peer) => peer !== 'floor' && results.some((result) => result.mode === mode && result.peer === peer),
  );
  const rows = entriesIn(results, mode).map((group) => [
    `${group[0].network}, batch ${group[0].batch}, ${group[0].precision}`,
    ...shown.map((peer) => bestOf(group, peer)?.rss.toFixed(0) ?? '–'),
  ]);
  return table(['', ...shown.map((peer) => titles[peer])], rows);
}

function everything(results) {
  const rows = ['train', 'infer'].flatMap((mode) =>
    entriesIn(results, mode).flatMap((group) =>
      Object.keys(titles).flatMap((peer) =>
        variantsOf(group, peer).map(({ variant, rounds, ms, rss, error }) => [
          `${group[0].network}, ${mode}, batch ${group[0].batch}, ${group[0].precision}`,
          `${titles[peer]} ${variant}`,
          rounds === 0 ? error.replaceAll('|', '/').slice(0, 100) : number(ms),
          rss == null ? '–' : rss.toFixed(0),
          rounds,
        ]),
      ),
    ),
  );
  return table(['', 'variant', 'ms', 'MiB', 'rounds'], rows);
}

function machine() {
  const { model } = cpus()[0];
  const flags = /^flags\s*:(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1].split(' ') ?? [];
  const sets = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].filter((flag) => flags.includes(flag));
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readText('/etc/os-release'))?.[1] ?? `${type()} ${release()}`;
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  return `${model.trim()}, ${cpus().length} processors (${sets.join(', ')}), ${memoryGiB} GiB, ${system}, Node ${process.version}`;
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function versions(results) {
  return Object.keys(titles).flatMap((peer) => {
    const found = results.find((result) => result.peer === peer && result.version)?.version;
    return found === undefined ? [] : [`${titles[peer]} ${found}`];
  });
}

/** All tables as Markdown. */
export function report(results, { threads, rounds, revision, quick, peers }) {
  const date = new Date().toISOString().slice(0, 10);
  const sections = [
    '# Fovea and its peers',
    quick && '**A quick run, to see that everything works: its figures mean nothing.**',
    `\`npm run bench:peers\` on ${date}, revision ${revision}: ${machine()}.`,
    `${threads} threads each, medians over ${rounds} ${rounds === 1 ? 'round' : 'rounds'} in which all took turns. Versions: ${versions(results).join('; ')}.`,
    'Each peer appears in its fastest mode, whose name is in brackets. The floor is the sum of the kernels of convolutions and ' +
      'linear layers alone (`npm run bench -- floor`); in bf16 all of them are. On CPUs PaddlePaddle trains in float32 only.',
  ];
  if (results.some(({ mode }) => mode === 'train')) {
    sections.push(
      '## Training step, milliseconds',
      comparison(results, 'train', peers, ({ ms }) => ms),
      '## Peak memory of training, MiB (whole process)',
      memory(results, 'train', peers),
    );
  }
  if (results.some(({ mode }) => mode === 'infer')) {
    sections.push(
      '## Inference, images a second',
      comparison(results, 'infer', peers, ({ ms }, { batch }) => (1000 * batch) / ms),
      '## Peak memory of inference, MiB (whole process)',
      memory(results, 'infer', peers),
    );
  }
  sections.push('## Every mode', everything(results));
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}
