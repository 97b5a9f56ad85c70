import { requireEffect } from '../../../effect.js';
import { writeFileAtomic } from '../../../io/files/atomic.js';
import type { Split } from '../../../run/catalog/datasets.js';
import { findData, namedDataset } from '../../../run/catalog/datasets.js';
import { requireMeaning, requireWork } from '../../../run/dataOptions.js';
import { type ImageLoadingOptions, imageLoadingOf } from '../../../run/runOptionsOf.js';
import { usualHoldOut } from '../../../run/splits.js';
import { formatCount } from '../../../text/numbers.js';
import { visibleLine } from '../../../text/visible.js';
import { sampleSheet } from '../../../vision/datasets/sheets.js';
import { preprocessing } from '../../../vision/images/preprocess.js';
import { parseTransforms } from '../../../vision/transforms/index.js';
import { DownloadDisplay } from '../../display.js';
import { inFlags } from '../../flags.js';
import { print, printFacts, printJson, type Terminal } from '../../terminal.js';
import { passedOverFacts } from '../../understood.js';
import { target } from './show.js';

export interface SheetCommandOptions extends ImageLoadingOptions {
  readonly transforms?: string;
  readonly out?: string;
  readonly images?: number;
  readonly versions?: number;
  readonly split?: Split;
  readonly seed?: number;
  readonly dataDir?: string;
  readonly size?: readonly [height: number, width: number];
  readonly json?: boolean;
}

/** Makes a picture of samples of any data set, and of the results of transforms. */
export async function showDataset(data: string, options: SheetCommandOptions, terminal: Terminal): Promise<number> {
  const { seed = 0, split = 'train', size, versions = 6, json = false } = options;
  requireEffect('data', options, {
    versions: ({ transforms }) => (transforms === undefined ? 'there are no transforms' : null),
  });
  const { name, location } = findData(data);
  const transform = options.transforms === undefined ? null : parseTransforms(options.transforms);
  const images = options.images ?? (transform === null ? 24 : 6);
  const out = await target('--out', options.out, 'data-sheet.png');
  const kind = namedDataset(name);
  const { dataDir } = options;
  requireMeaning({ name, location }, kind, {
    dataDir,
    images: { ...(size && { size }) },
    imageLoading: imageLoadingOf(options),
  });
  requireWork(name, kind, imageLoadingOf(options), transform !== null);
  const download = new DownloadDisplay(terminal);
  try {
    const opened = await kind.open({
      location: location ?? options.dataDir,
      images: preprocessing({ order: 'RGB', ...(size && { size }) }),
      imageLoading: imageLoadingOf(options),
      holdOut: { share: usualHoldOut, seed },
      onDownload: download.show,
    });
    const { dataset, source } = await opened.open(split);
    download.end();
    const format = opened.images ?? preprocessing();
    const sheet = await sampleSheet(dataset, {
      transform,
      images,
      versions,
      seed,
      draw: (sample) => kind.picture(sample, format),
      title:
        `${opened.title}, ${{ train: 'training', validation: kind.evalName, test: 'test', all: 'whole' }[split]} set` +
        (options.transforms === undefined ? '' : `: ${visibleLine(options.transforms)}`),
      ...(opened.synthetic && { note: 'Synthetic: drawn by a program, no photographs' }),
    });
    await writeFileAtomic(out, sheet);
    const shown = Math.min(images, dataset.length);
    if (json) {
      const transforms = transform?.toJSON() ?? null;
      const facts = { data, split, images: dataset.length, shown, versions: transform === null ? 0 : versions };
      printJson(terminal, 'data.show', { ...facts, transforms, sheet: out });
      return 0;
    }
    print(terminal, opened.title);
    printFacts(terminal, [
      ['images', `${formatCount(dataset.length)}, ${formatCount(shown)} of them shown`],
      ['source', source],
      ...passedOverFacts(opened),
      ...opened.notes.map((note) => ['note', inFlags(note)] as const),
      ...(transform === null ? [] : [['versions', `${formatCount(versions)} of each`] as const]),
      ['sheet', out],
    ]);
    return 0;
  } finally {
    download.end();
  }
}
