import { type Command, InvalidArgumentError, Option } from 'commander';
import { dataForms } from '../run/catalog/datasets.js';
import { addAll, trainingFlag } from './flags.js';
import { imageFlags, jsonOption, naturalNumber, positiveInteger, splitName } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds `data show` and `data palm import|show|synth`. Each command's code is loaded when it is called. */
export function dataCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const data = program.command('data').description('prepare data sets, and look at them');

  const checking = data
    .command('check')
    .description(
      'check a data set: unreadable pictures, copies, leaks, labels, outliers, shortcuts; nothing is changed',
    )
    .argument('<data>', dataForms.join(', '))
    .option('--against <data>', 'other data, whose pictures must not be among these, such as a test set')
    .addOption(trainingFlag('group'))
    .addOption(trainingFlag('dataDir'))
    .option('--predictions <path>', 'out-of-fold predictions of train --folds, to find likely wrong labels by')
    .addOption(trainingFlag('fixes'))
    .option('--out <dir>', 'new folder for a page with pictures, check.json, exclude.csv and relabel.csv')
    .option('--strict', 'end with exit code 1 if there are problems');
  addAll(checking, [...imageFlags(), jsonOption()]).action(async (from, options) =>
    exit(await (await import('./commands/data/check.js')).checkDataset(from, options, terminal)),
  );

  const show = data
    .command('show')
    .description('make a picture (PNG) of some images of a data set, as they are or transformed')
    .argument('<data>', dataForms.join(', '))
    .option('--transforms <list>', "such as 'RandomHorizontalFlip,RandomRotation(15),ColorJitter(brightness=0.2)'")
    .option('--out <file.png>', 'the picture (default: data-sheet.png)')
    .option(
      '--images <n>',
      'images to show, of all classes (default: 24, with transforms 6, with fixes 100)',
      positiveInteger,
    )
    .option('--versions <n>', 'with --transforms: changed versions of each (default: 6)', positiveInteger)
    .option('--split <split>', 'which images: train, validation or test (default: train)', splitName)
    .option(
      '--seed <n>',
      'random seed: which images are shown, and how they are transformed (default: 0)',
      naturalNumber,
    )
    .option('--fixes <path>', 'show the pictures that these fixes of data check would leave out or relabel')
    .addOption(trainingFlag('dataDir'))
    .addOption(trainingFlag('size', { default: '224' }));
  addAll(show, [...imageFlags(), jsonOption()])
    .addHelpText(
      'after',
      '\nTransforms have the names and options of paddle.vision.transforms. Bytes are shown as they are; after ToTensor ' +
        'and Normalize\ncolours are those that the network sees, cut where they are beyond its range.',
    )
    .action(async (name, { fixes, ...options }) =>
      exit(
        fixes === undefined
          ? await (await import('./commands/data/sheet.js')).showDataset(name, options, terminal)
          : await (await import('./commands/data/fixes.js')).showFixes(name, fixes, options, terminal),
      ),
    );

  const palm = data
    .command('palm')
    .description('iChallenge-PM: photographs of eyes with and without pathologic myopia');

  palm
    .command('import')
    .description('import the released archives, or folders unpacked from them, into a folder')
    .argument('<source...>', 'training.zip, validation.zip, valid_gt.zip, or folders with them or their contents')
    .requiredOption('--out <dir>', 'folder for pictures and labels; an import that was stopped is resumed there')
    .addOption(trainingFlag('onBadImage'))
    .option('--max-bytes <size>', 'most to unpack from archives, such as 8GiB (default: 8GiB)', byteCount)
    .option('--max-ratio <n>', 'most times that a file may be larger unpacked (default: 100)', positiveInteger)
    .option('--max-entries <n>', 'most files in all archives (default: 20000)', positiveInteger)
    .addOption(trainingFlag('workers'))
    .addOption(trainingFlag('cache'))
    .addOption(jsonOption())
    .addHelpText('after', '\nNo given file is altered, and none in the folder is replaced by another.')
    .action(async (sources, options) =>
      exit(await (await import('./commands/data/import.js')).importData(sources, options, terminal)),
    );

  palm
    .command('show')
    .description('make pictures of the data set: two eyes side by side, and a contact sheet (PNG)')
    .argument('<dir>', 'folder of an import')
    .option('--out <file.png>', 'a normal eye and one with pathologic myopia (default: palm-eyes.png)')
    .option('--sheet <file.png>', 'the contact sheet (default: palm-sheet.png)')
    .option('--images <n>', 'pictures on the sheet', positiveInteger, 24)
    .addOption(new Option('--set <name>', 'which pictures').choices(['train', 'validation']).default('train'))
    .option('--seed <n>', 'random seed: which pictures are shown', naturalNumber, 0)
    .addOption(jsonOption())
    .action(async (folder, options) =>
      exit(await (await import('./commands/data/show.js')).showData(folder, options, terminal)),
    );

  palm
    .command('synth')
    .description('draw pictures that stand in for the photographs, in the form of the release')
    .requiredOption('--out <dir>', 'folder for the archives, new or empty')
    .option('--train <n>', 'training pictures', positiveInteger, 400)
    .option('--validation <n>', 'validation pictures', positiveInteger, 400)
    .option('--size <pixels>', 'width of the pictures', positiveInteger, 1024)
    .option('--seed <n>', 'random seed: the same seed gives the same pictures', naturalNumber, 0)
    .option('--workers <n>', 'threads that make pictures (default: one a processor, at most 8)', naturalNumber)
    .addOption(jsonOption())
    .action(async (options) => exit(await (await import('./commands/data/synth.js')).synthData(options, terminal)));
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const binaryUnits: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A number of bytes with or without a unit: `500000`, `1.5 GB` (10^9), `8GiB` (2^30). */
function byteCount(text: string): number {
  const [, number, prefix = '', binary] = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(i)?)?b?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (binary ? binaryUnits : units)[prefix.toLowerCase()]);
  if (!(bytes >= 1 && Number.isSafeInteger(bytes))) {
    throw new InvalidArgumentError('expected a number of bytes, such as 500MB or 8GiB');
  }
  return bytes;
}
