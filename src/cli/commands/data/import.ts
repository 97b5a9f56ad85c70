import { type ImageLoadingOptions, imageLoadingOf } from '../../../run/runOptionsOf.js';
import { wilsonInterval } from '../../../statistics/proportion.js';
import { formatCount, formatPercent } from '../../../text/numbers.js';
import { Progress } from '../../../text/progress.js';
import { importPalm, type PalmSummary } from '../../../vision/palm/import.js';
import type { PalmCounts, PalmSize } from '../../../vision/palm/record.js';
import { Interruption } from '../../interrupt.js';
import {
  complain,
  ownCommand,
  print,
  printFacts,
  printJson,
  printTable,
  quoted,
  type Terminal,
} from '../../terminal.js';

interface ImportCommandOptions extends ImageLoadingOptions {
  readonly out: string;
  readonly maxBytes?: number;
  readonly maxRatio?: number;
  readonly maxEntries?: number;
  readonly json?: boolean;
}

export async function importData(
  sources: readonly string[],
  options: ImportCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { out, maxBytes, maxRatio, maxEntries, json = false } = options;
  const interruption = new Interruption(terminal, 'finishing the pictures at hand');
  const { stderr: stream } = terminal;
  const mode = json ? 'silent' : 'auto';
  // The number of pictures is known only after a look through the archives, which may take a minute.
  let progress = new Progress({ label: 'looking through the files', unit: 'pictures', stream, mode });
  let begun = false;
  try {
    const summary = await importPalm(sources, out, {
      ...imageLoadingOf(options),
      limits: { maxBytes, maxRatio, maxEntries },
      signal: interruption.signal,
      onProgress: ({ done, total }) => {
        if (begun) return progress.update(done);
        begun = true;
        progress.stop();
        progress = new Progress({ label: 'import', total, unit: 'pictures', stream, mode });
      },
    });
    progress.finish();
    const next = nextCommand(summary);
    if (json) printJson(terminal, 'data.palm.import', { ...summary, next });
    else show(summary, next, terminal);
    return 0;
  } catch (error) {
    progress.stop();
    if (!interruption.signal.aborted || error !== interruption.signal.reason) throw error;
    complain(terminal, 'stopped; the same command continues the import');
    return interruption.exitCode;
  } finally {
    interruption.end();
  }
}

/** The command for a training, or for an import of its data. */
function nextCommand({ folder, train, validation }: PalmSummary): string {
  const lacking = [
    ...(train.images === 0 ? ['training.zip'] : []),
    ...(validation.images === 0 ? ['validation.zip', 'valid_gt.zip'] : []),
  ];
  if (lacking.length === 0) return `${ownCommand()} train resnet50 --data ${quoted(`palm:${folder}`)}`;
  return `${ownCommand()} data palm import ${lacking.join(' ')} --out ${quoted(folder)}`;
}

const mostSizes = 10;
const letters: Readonly<Record<string, string>> = { P: 'pathologic', H: 'highly myopic', N: 'normal', V: 'validation' };

function show(summary: PalmSummary, next: string, terminal: Terminal): void {
  const { folder, synthetic, train, validation, sizes, quarantine, warnings, copied, present, sha256 } = summary;
  print(terminal, `iChallenge-PM in ${folder}`);
  if (synthetic)
    print(terminal, 'SYNTHETIC: drawn by a program, no photographs of eyes. Metrics say nothing about patients.');
  printFacts(terminal, [
    ['pictures', `${formatCount(copied)} copied, ${formatCount(present)} there already`],
    ['list', summary.recordFile],
    ...(train.images > 0 ? [['training sha256', sha256.train] as const] : []),
    ...(validation.images > 0 ? [['validation sha256', sha256.validation] as const] : []),
  ]);
  const right = (header: string) => ({ header, align: 'right' as const });
  print(terminal, '');
  printTable(
    terminal,
    [{ header: 'set' }, right('pictures'), right('PM'), right('non-PM'), { header: 'by first letter' }],
    [rowOf('training', train), rowOf('validation', validation)],
    { indent: 2 },
  );
  print(terminal, '');
  printTable(
    terminal,
    [{ header: 'size' }, { header: 'camera' }, right('pictures'), right('PM'), { header: '95 % interval' }],
    sizes.slice(0, mostSizes).map((size) => {
      const [low, high] = wilsonInterval(size.pathologic, size.images);
      return [
        `${size.width}×${size.height}`,
        size.camera ?? 'unknown',
        formatCount(size.images),
        formatPercent(size.pathologic / size.images, 1),
        `${formatPercent(low, 1)} to ${formatPercent(high, 1)}`,
      ];
    }),
    { indent: 2 },
  );
  if (sizes.length > mostSizes) print(terminal, `  and ${sizes.length - mostSizes} more sizes`);
  const notes = [...warnings, ...leakage(sizes)];
  if (notes.length > 0) print(terminal, '');
  for (const note of notes) print(terminal, `  Note: ${note}`);
  if (quarantine.length > 0) {
    print(terminal, `\n  Left out, since they cannot be read (${formatCount(quarantine.length)}; no file is lost):\n`);
    const rows = quarantine.map(({ path, reason }) => [path, reason]);
    printTable(terminal, [{ header: '' }, { header: '' }], rows, { indent: 2 });
  }
  print(terminal, `\nContinue with:\n  ${next}`);
}

function rowOf(name: string, { images, pathologic, byPrefix }: PalmCounts): string[] {
  const shares = Object.entries(byPrefix).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    name,
    formatCount(images),
    formatCount(pathologic),
    formatCount(images - pathologic),
    shares.map(([letter, count]) => `${letter} (${letters[letter]}) ${formatCount(count)}`).join(', '),
  ];
}

/**
 * Sizes with another share of PM than all pictures. In these a network may learn the camera instead of the
 * disease.
 */
function leakage(sizes: readonly PalmSize[]): string[] {
  const all = sizes.reduce((sum, { images }) => sum + images, 0);
  const share = sizes.reduce((sum, { pathologic }) => sum + pathologic, 0) / all;
  return sizes.flatMap(({ width, height, images, pathologic }) => {
    const [low, high] = wilsonInterval(pathologic, images);
    if (low <= share && share <= high) return [];
    return [
      `${formatPercent(pathologic / images, 1)} of the pictures of ${width}×${height} pixels are PM, ` +
        `${formatPercent(share, 1)} of all: a network may learn the camera instead of the disease`,
    ];
  });
}
