import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, InputError } from '../../../errors.js';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import { renderDataCheck, shortcutText } from '../../../report/dataCheckPage.js';
import { readSource } from '../../../run/comparison/source.js';
import { checkData, type DataCheck } from '../../../run/dataCheck/check.js';
import { type Finding, type FindingKind, findingTitles } from '../../../run/dataCheck/findings.js';
import { excludeFile, excludeTable, readFixes, relabelFile, relabelTable } from '../../../run/dataCheck/fixes.js';
import { propertyTable } from '../../../run/dataCheck/propertyCounts.js';
import { type ImageLoadingOptions, imageLoadingOf } from '../../../run/runOptionsOf.js';
import { safeCell } from '../../../text/csv.js';
import { formatCount } from '../../../text/numbers.js';
import { version } from '../../../version.js';
import { thumbnailPng } from '../../../vision/images/thumbnail.js';
import { DownloadDisplay, ReadingDisplay } from '../../display.js';
import { inFlags } from '../../flags.js';
import { schemaName } from '../../json/kinds.js';
import { newFolder } from '../../newOutput.js';
import { print, printFacts, printJson, printSentences, printTable, type Terminal } from '../../terminal.js';

interface CheckCommandOptions extends ImageLoadingOptions {
  readonly against?: string;
  readonly group?: string;
  readonly dataDir?: string;
  readonly predictions?: string;
  readonly fixes?: string;
  readonly out?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** Findings of one kind that are printed, and shown with pictures on the page. */
const [mostPrinted, mostOnPage] = [5, 40];

/** Checks a data set, and writes a page and tables of proposed decisions. */
export async function checkDataset(data: string, options: CheckCommandOptions, terminal: Terminal): Promise<number> {
  const { against, group, dataDir, out, strict = false, json = false } = options;
  if (out !== undefined) await newFolder(out, 'data check', '--out');
  const download = new DownloadDisplay(terminal);
  const reading = new ReadingDisplay(terminal);
  try {
    const found = await checkData(data, {
      against,
      group,
      dataDir,
      imageLoading: imageLoadingOf(options),
      ...(options.fixes !== undefined && { fixes: await readFixes(options.fixes) }),
      ...(options.predictions !== undefined && { probabilities: await probabilitiesIn(options.predictions) }),
      onProgress: reading.show,
      onDownload: download.show,
    });
    reading.end();
    if (out !== undefined) await write(out, found);
    if (json) printJson(terminal, 'data.check', { ...forMachines(found), ...(out !== undefined && { out }) });
    else show(found, out, terminal);
    return strict && found.findings.some(({ severity }) => severity === 'problem') ? 1 : 0;
  } finally {
    download.end();
    reading.end();
  }
}

/** Out-of-fold predictions: those of a network for its training pictures say nothing. */
async function probabilitiesIn(path: string): Promise<ReadonlyMap<string, Float32Array>> {
  const { predictions } = await readSource(path);
  const { files, splits, probabilities, classNames } = predictions;
  if (!splits.every((split) => split.startsWith('fold-'))) {
    throw new InputError(
      `[data check] ${path}: expected out-of-fold predictions, which train --folds makes, got those of ${[...new Set(splits)].join(', ')}`,
    );
  }
  const classes = classNames.length;
  return new Map(files.map((file, i) => [file, probabilities.subarray(i * classes, (i + 1) * classes)]));
}

function byKind({ findings }: DataCheck): [FindingKind, Finding[]][] {
  const kinds = Object.keys(findingTitles) as FindingKind[];
  return kinds.flatMap((kind): [FindingKind, Finding[]][] => {
    const own = findings.filter((finding) => finding.kind === kind);
    return own.length === 0 ? [] : [[kind, own]];
  });
}

function show(found: DataCheck, out: string | undefined, terminal: Terminal): void {
  const { title, classNames, counts, pictures, shortcuts, leftOut, notes } = found;
  const own = pictures.filter(({ against }) => !against).length;
  print(terminal, title);
  printFacts(terminal, [
    ['pictures', formatCount(own)],
    ...(pictures.length > own ? [['against', formatCount(pictures.length - own)] as const] : []),
    ...notes.map((note) => ['note', inFlags(note)] as const),
  ]);
  const right = (header: string) => ({ header, align: 'right' as const });
  print(terminal, '');
  printTable(
    terminal,
    [{ header: 'part' }, ...classNames.map(right)],
    Object.entries(counts).map(([part, each]) => [part, ...each.map(formatCount)]),
    { indent: 2 },
  );
  const { header, rows } = propertyTable(found);
  if (rows.length > 0) {
    print(terminal, '');
    printTable(
      terminal,
      header.map((name, c) => (c < 2 ? { header: name } : right(name))),
      rows,
      { indent: 2 },
    );
  }
  const kinds = byKind(found);
  if (kinds.length === 0) print(terminal, '\nNothing was found.');
  for (const [kind, findings] of kinds) {
    print(terminal, `\n${findingTitles[kind]}: ${formatCount(findings.length)}`);
    for (const { message } of findings.slice(0, mostPrinted)) printSentences(terminal, `  ${message}`);
    if (findings.length > mostPrinted) print(terminal, `  … and ${formatCount(findings.length - mostPrinted)} more`);
  }
  print(terminal, '\nShortcut probe: how well a property alone predicts the class\n');
  printTable(
    terminal,
    [{ header: 'property' }, { header: 'out-of-fold' }, { header: '' }],
    shortcuts.map((one) => [
      one.property,
      shortcutText(one),
      one.value !== null && one.suspicious ? 'predicts the class' : '',
    ]),
    { indent: 2 },
  );
  for (const reason of leftOut) printSentences(terminal, `\nnote: left out: ${reason}`);
  if (out !== undefined) {
    print(
      terminal,
      `\nreport.html, check.json, ${excludeFile} and ${relabelFile} are in ${out}. Edit the tables, then give --fixes ${out} to train or eval.`,
    );
  } else
    print(
      terminal,
      '\n--out DIR writes a page with the pictures, and tables of proposed decisions. Nothing was changed.',
    );
}

function forMachines({ title, classNames, counts, properties, pictures, findings, shortcuts, leftOut }: DataCheck) {
  return {
    schema: schemaName('data.check'),
    title,
    classNames,
    pictures: pictures.filter(({ against }) => !against).length,
    counts,
    properties,
    findings: findings.map(({ kind, severity, message, pictures: own, exclude, relabel }) => ({
      kind,
      severity,
      message,
      files: own.map((i) => pictures[i].name),
      exclude: exclude.map((i) => pictures[i].name),
      relabel: relabel === null ? null : classNames[relabel],
    })),
    shortcuts,
    leftOut,
  };
}

async function write(out: string, found: DataCheck): Promise<void> {
  const { pictures, classNames, findings, title, counts, shortcuts, leftOut, notes } = found;
  await mkdir(out, { recursive: true });
  const nameOf = (i: number) => safeCell(pictures[i].name);
  const excluded = new Map<string, string>();
  const relabelled = new Map<string, readonly [string, string, string]>();
  for (const { exclude, relabel, pictures: own, message } of findings) {
    for (const i of exclude) if (!pictures[i].against && !excluded.has(nameOf(i))) excluded.set(nameOf(i), message);
    if (relabel !== null) relabelled.set(nameOf(own[0]), [nameOf(own[0]), classNames[relabel], message]);
  }
  const sections = await Promise.all(
    byKind(found).map(async ([kind, own]) => ({
      title: `${findingTitles[kind]}: ${formatCount(own.length)}`,
      more: Math.max(0, own.length - mostOnPage),
      findings: await Promise.all(own.slice(0, mostOnPage).map((finding) => onPage(finding, found))),
    })),
  );
  const page = renderDataCheck({
    title,
    version,
    classNames,
    counts,
    properties: propertyTable(found),
    sections,
    shortcuts: shortcuts.map((one) => ({
      property: one.property,
      text: shortcutText(one),
      suspicious: one.value !== null && one.suspicious,
    })),
    notes: [...notes, ...leftOut.map((reason) => `Left out: ${reason}`)],
  });
  await writeFileAtomic(join(out, 'report.html'), page);
  await writeFileAtomic(join(out, 'check.json'), `${JSON.stringify(forMachines(found), null, 2)}\n`);
  await writeFileAtomic(join(out, excludeFile), excludeTable([...excluded]));
  await writeFileAtomic(join(out, relabelFile), relabelTable([...relabelled.values()]));
}

async function onPage({ message, exclude, relabel, pictures: own }: Finding, { pictures, classNames }: DataCheck) {
  const named = exclude.filter((i) => !pictures[i].against).map((i) => pictures[i].name);
  const decision = named.length > 0 ? `Leave out ${named.join(' and ')}?` : 'Look at it.';
  return {
    message,
    decision: relabel === null ? decision : `Label it ${classNames[relabel]}?`,
    pictures: await Promise.all(
      own.map(async (i) => {
        const { name, label, path, problem } = pictures[i];
        const image = path === null || problem !== null ? null : await thumbnailOf(path);
        return { name, label: classNames[label], image };
      }),
    ),
  };
}

async function thumbnailOf(path: string): Promise<Uint8Array | null> {
  try {
    return await thumbnailPng(path, 128);
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}
