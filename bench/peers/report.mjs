/** Turns measurements into tables. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { median, screenedMs, titles } from './plan.mjs';

/** A higher load at the start disturbs the measurement. */
export const maxLoad = 0.5;

const most = (runs, name) => {
  const values = runs.map((run) => run[name]).filter((value) => value != null);
  return values.length === 0 ? null : Math.max(...values);
};

/**
 * Each variant of a peer with the median over rounds of the medians, in order of appearance. A variant that was only
 * screened has no rounds.
 */
function variantsOf(results, peer) {
  const own = results.filter((result) => result.peer === peer);
  return [...new Set(own.map(({ variant }) => variant))].map((variant) => {
    const runs = own.filter((result) => result.variant === variant && result.times !== undefined);
    const { error } = own.find((result) => result.variant === variant && result.error !== undefined) ?? {};
    const rounds = runs.filter(({ round }) => round > 0);
    return {
      variant,
      error,
      rounds: rounds.length,
      ms: rounds.length > 0 ? median(rounds.map(({ times }) => median(times))) : runs.map(screenedMs)[0],
      stepMiB: most(runs, 'stepMiB'),
      processMiB: most(runs, 'processMiB'),
    };
  });
}

/** The fastest variant of a peer among those measured in most rounds; `undefined` if it has none. */
export function bestOf(results, peer) {
  const measured = variantsOf(results, peer).filter(({ rounds }) => rounds > 0);
  const most = Math.max(...measured.map(({ rounds }) => rounds));
  return measured.filter(({ rounds }) => rounds === most).sort((a, b) => a.ms - b.ms)[0];
}

/** The variant of a peer whose step takes least memory. */
export function smallestOf(results, peer) {
  const measured = variantsOf(results, peer).filter(({ stepMiB }) => stepMiB !== null);
  return measured.sort((a, b) => a.stepMiB - b.stepMiB)[0];
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
const ratio = (a, b, key = 'ms') => (a === undefined || b === undefined ? '–' : (a[key] / b[key]).toFixed(2));
const rowOf = ([{ network, batch, precision }]) => `${network}, batch ${batch}, ${precision}`;

/** The peer that the others are compared with. */
const ownOf = (peers) => (peers.includes('fovea') ? 'fovea' : 'portable');

/** Peers that appear, and those that need the name of their variant. */
function shownIn(results, mode, peers) {
  const own = results.filter((result) => result.mode === mode);
  const variants = (peer) => new Set(own.filter((result) => result.peer === peer).map(({ variant }) => variant));
  const shown = peers.filter((peer) => variants(peer).size > 0);
  return { shown, named: shown.filter((peer) => peer === 'tfjs' || variants(peer).size > 1) };
}

/** One row an entry: a value of each peer's best variant, and the ratios of their times. */
function comparison(results, mode, peers, valueFor) {
  const { shown, named } = shownIn(results, mode, peers);
  const own = ownOf(peers);
  const others = shown.filter((peer) => peer !== 'floor' && peer !== own);
  const entries = entriesIn(results, mode);
  const header = [
    ...shown.map((peer) => titles[peer]),
    ...(shown.includes('floor') ? ['Fovea / floor'] : []),
    ...others.map((peer) => `${titles[peer]} / ${titles[own]}`),
    ...(shown.includes('onnxruntime') ? ['onnxruntime-node in float32 / Fovea in bf16'] : []),
  ];
  const rows = entries.map((group) => {
    const [{ network, batch, precision }] = group;
    const best = Object.fromEntries(shown.map((peer) => [peer, bestOf(group, peer)]));
    const cell = (peer) => {
      if (best[peer] === undefined) return '–';
      return `${number(valueFor(best[peer], group[0]))}${named.includes(peer) ? ` (${best[peer].variant})` : ''}`;
    };
    const exact = entries.find(
      ([other]) => precision === 'bf16' && rowOf([other]) === rowOf([{ network, batch, precision: 'float32' }]),
    );
    return [
      rowOf(group),
      ...shown.map(cell),
      ...(shown.includes('floor') ? [ratio(best.fovea, best.floor)] : []),
      ...others.map((peer) => ratio(best[peer], best[own])),
      ...(shown.includes('onnxruntime') ? [ratio(exact && bestOf(exact, 'onnxruntime'), best.fovea)] : []),
    ];
  });
  return table(['', ...header], rows);
}

/** The fastest variant of each peer, and PyTorch's smallest. */
function memory(results, mode, peers) {
  const { shown, named } = shownIn(
    results,
    mode,
    peers.filter((peer) => peer !== 'floor'),
  );
  const columns = shown.flatMap((peer) => [
    { peer, title: titles[peer], pick: bestOf },
    ...(peer === 'torch' ? [{ peer, title: 'PyTorch, smallest mode', pick: smallestOf }] : []),
  ]);
  const own = ownOf(peers);
  const others = columns.filter(({ peer }) => peer !== own);
  const rows = entriesIn(results, mode).map((group) => {
    const cells = columns.map(({ peer, pick }) => {
      const found = pick(group, peer);
      if (found === undefined) return '–';
      const { variant, stepMiB, processMiB } = found;
      return `${stepMiB.toFixed(0)} of ${processMiB.toFixed(0)}${named.includes(peer) ? ` (${variant})` : ''}`;
    });
    const ratios = others.map(({ peer, pick }) => ratio(pick(group, peer), bestOf(group, own), 'stepMiB'));
    return [rowOf(group), ...cells, ...ratios];
  });
  return table(
    ['', ...columns.map(({ title }) => title), ...others.map(({ title }) => `${title} / ${titles[own]}`)],
    rows,
  );
}

function everything(results) {
  const rows = ['train', 'infer'].flatMap((mode) =>
    entriesIn(results, mode).flatMap((group) =>
      Object.keys(titles).flatMap((peer) =>
        variantsOf(group, peer).map(({ variant, rounds, ms, stepMiB, processMiB, error }) => [
          `${rowOf(group)}, ${mode}`,
          `${titles[peer]} ${variant}`,
          ms === undefined ? error.replaceAll('|', '/').slice(0, 100) : number(ms),
          stepMiB?.toFixed(0) ?? '–',
          processMiB?.toFixed(0) ?? '–',
          ms !== undefined && rounds === 0 ? 'screened' : rounds,
        ]),
      ),
    ),
  );
  return table(['', 'mode', 'ms', 'MiB of a step', 'MiB of the process', 'rounds'], rows);
}

/** Instruction sets of this processor that change the results. */
function instructionSets() {
  const flags = /^flags\s*:(.*)$/m.exec(readText('/proc/cpuinfo'))?.[1].split(' ') ?? [];
  return ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16'].filter((flag) => flags.includes(flag));
}

/** The page of measurements on a machine like this one. */
export function pageOfMachine() {
  const name =
    instructionSets()
      .at(-1)
      ?.replace(/(f|_bf16)$/, '') ?? 'other';
  return `docs/measured/peers-${name}.md`;
}

function machine(results) {
  const found = [...new Set(results.map(({ cpu }) => cpu).filter(Boolean))];
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readText('/etc/os-release'))?.[1] ?? `${type()} ${release()}`;
  const memoryGiB = (totalmem() / 2 ** 30).toFixed(0);
  return `${found.join(' and ')}, ${cpus().length} processors (${instructionSets().join(', ')}), ${memoryGiB} GiB, ${system}, Node ${process.version}`;
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

/** `from … to …`, in UTC. */
function span(results) {
  const times = results.flatMap(({ time }) => time ?? []).sort();
  const [first, last] = [times[0], times.at(-1)].map((time) => time?.slice(0, 16).replace('T', ' '));
  return `from ${first} to ${last} UTC`;
}

/** The reason why PyTorch's best mode may be missing. */
function compileFailures(results) {
  const tried = results.filter(
    ({ peer, variant, round }) => peer === 'torch' && variant.includes('compile') && round === 0,
  );
  const failed = tried.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return null;
  const failure = `torch.compile failed in ${failed.length} of ${tried.length} measurements (${failed[0].error.slice(0, 200)})`;
  return `**${failure}; it needs a C++ compiler and Python's headers. PyTorch may be faster than shown.**`;
}

/** A note on the rows in bf16 where float32 is faster. */
function slowBfloat16(results) {
  if (!results.some(({ version }) => version?.includes('slow bf16'))) return null;
  return (
    '**This processor multiplies bfloat16 more slowly than float32. With --precision bf16 Fovea computes in float32 here, ' +
    'except for linear layers of few images in prediction, and so does the floor; the peers compute in bfloat16.**'
  );
}

/** A note on an instruction set below that of the machine. */
function heldNote(held) {
  if (held === null) return null;
  const variables = Object.entries(held.env).map(([name, value]) => `\`${name}=${value}\``);
  return `**All are held to an instruction set below that of the machine: ${variables.join(', ')}.**`;
}

/** Entries in which PyTorch takes less than `aim` times as long as Fovea. */
export function missesOf(results, aim) {
  return ['train', 'infer']
    .flatMap((mode) => entriesIn(results, mode))
    .filter((group) => bestOf(group, 'torch')?.ms < aim * bestOf(group, 'fovea')?.ms)
    .map(([entry]) => entry);
}

/** Rows of a profile that are worth a look. */
const mostKernels = 8;

/** The kernels that hold an entry. */
function profileOf({ network, mode, batch, command, profile: { stepMs, floorMs, kernels } }) {
  const rows = kernels
    .slice(0, mostKernels)
    .map(({ kernel, implementation, calls, ms, share, gflops }) => [
      `${kernel} (${implementation})`,
      calls,
      number(ms),
      `${(100 * share).toFixed(1)} %`,
      gflops === null ? '–' : gflops.toFixed(0),
    ]);
  return [
    `### ${network}, batch ${batch}, ${mode}`,
    `\`fovea ${command.join(' ')}\`: ${number(stepMs)} ms, of which convolutions, linear layers and products of matrices take ${number(floorMs)} ms.`,
    table(['kernel', 'calls', 'ms', 'share', 'GFLOP/s'], rows),
  ];
}

/** A note on networks for which PyTorch's best mode may be missing. */
function uncompiledNote(uncompiled) {
  if (uncompiled.length === 0) return null;
  const list = uncompiled.map((name) => name.replace(':', ' in ')).join(', ');
  return `**Without torch.compile, which takes minutes for each: ${list}. PyTorch may be faster than shown.**`;
}

/** All tables as Markdown. */
export function report(
  results,
  {
    threads,
    rounds,
    revision,
    quick,
    peers,
    load,
    held = null,
    isZoo = false,
    uncompiled = [],
    profiles = null,
    args = [],
  },
) {
  const command = ['npm run bench:peers', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const sections = [
    isZoo ? '# Other networks beside PyTorch' : '# Fovea and its peers',
    isZoo && "One or two networks of each family beyond the course's, and torchvision's of the same name, in float32.",
    quick && '**A quick run, to see that everything works: its numbers mean nothing.**',
    load > maxLoad && `**The machine was busy at the start (load ${load.toFixed(2)}): the times are too long.**`,
    compileFailures(results),
    slowBfloat16(results),
    heldNote(held),
    uncompiledNote(uncompiled),
    `\`${command}\` ${span(results)}, revision ${revision}: ${machine(results)}.`,
    `${threads} threads each${peers.includes('tfjs') ? '; TensorFlow.js and jax-js choose their own number' : ''}. Medians over ${rounds} ` +
      `${rounds === 1 ? 'round' : 'rounds'} in which all took turns. Versions: ${versions(results).join('; ')}.`,
    'Each peer appears in its fastest mode, named in brackets.' +
      (peers.includes('floor')
        ? ' The floor is a minimum: the sum of the shortest times of the kernels of convolutions and linear layers ' +
          '(`npm run bench -- floor`); in bf16 all of them are in bf16.'
        : '') +
      (peers.includes('paddle') ? ' On CPUs PaddlePaddle trains in float32 only.' : ''),
  ];
  const memoryNote =
    'First number: peak of resident memory during the measured steps, less the memory before the network was made. Second number: ' +
    'peak of the whole process, with compilation. LeNet needs less than the runtimes take and release by themselves.';
  const parts = [
    { mode: 'train', title: 'Training step, milliseconds', what: 'a training step', valueFor: ({ ms }) => ms },
    {
      mode: 'infer',
      title: 'Inference, images a second',
      what: 'inference',
      valueFor: ({ ms }, { batch }) => (1000 * batch) / ms,
    },
  ];
  for (const { mode, title, what, valueFor } of parts) {
    if (!results.some((result) => result.mode === mode)) continue;
    sections.push(`## ${title}`, comparison(results, mode, peers, valueFor));
    sections.push(`## Peak memory of ${what}, MiB`, memoryNote, memory(results, mode, peers));
  }
  if (profiles !== null) {
    sections.push('## Where PyTorch takes less than 1.1 times as long');
    sections.push(...(profiles.length === 0 ? ['Nowhere.'] : profiles.flatMap(profileOf)));
  }
  sections.push(
    '## Every mode',
    'Screened: the fastest of a few steps. These modes were too far from the best mode of their peer to be measured again.',
    everything(results),
  );
  return `${sections.filter(Boolean).join('\n\n')}\n`;
}
