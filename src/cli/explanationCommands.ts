import { Argument, type Command, Option } from 'commander';
import { explainMethods } from '../run/explainMethods.js';
import { mapMethods } from '../run/features/mapMethods.js';
import { addAll, trainingFlag } from './flags.js';
import { bestOption, engineFlags, jsonOption, naturalNumber, positiveInteger, splitName } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds `explain` and `features`. Each command's code is loaded when it is called. */
export function explanationCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  const folder = () => new Argument('<run>', 'folder of a training');

  const explanation = program
    .command('explain')
    .description('show the places of pictures that speak for a class')
    .addArgument(folder())
    .argument('<image...>', 'pictures, or folders of them')
    .addOption(new Option('--method <name>', 'how to explain (default: gradcam)').choices(explainMethods))
    .option('--layer <name>', 'layer whose features are shown (default: the last one with several places)')
    .option('--class <name>', 'class to explain (default: the predicted one)')
    .option('--against <name>', 'explain the difference to this class')
    .option(
      '--patch <pixels>',
      'with occlusion: edge of the patch (default: a seventh of the picture)',
      positiveInteger,
    )
    .option('--steps <n>', 'with integrated-gradients: points on the way (default: 50)', positiveInteger)
    .option('--check', 'test each map: random weights, covering and uncovering pixels')
    .option('--other <run>', 'with --check: a training with another seed, whose maps are compared')
    .option('--out <folder>', 'new folder for picture, map and both over one another (default: explained)')
    .option('--report', 'put the maps into the report of the run too, in place of earlier ones')
    .option('--csv', 'print a table with commas: place and width of each map')
    .addOption(bestOption());
  addAll(explanation, [...engineFlags(), jsonOption()]).action(async (path, images, options) =>
    exit(await (await import('./commands/explain.js')).explain(path, images, options, terminal)),
  );

  const features = program
    .command('features')
    .description(
      'look at what a network has learned: filters, dead channels, a map of images; and pictures layer by layer',
    )
    .addArgument(folder())
    .argument('[image...]', 'pictures, or folders of them: their feature maps, and the nearest training images')
    .option('--layers <names>', 'layers whose maps are shown, with commas (default: up to 12 from first to last)')
    .option('--neighbours <n>', 'nearest training images of each picture; 0: none (default: 6)', naturalNumber)
    .addOption(new Option('--map <method>', 'how images are placed on the map (default: pca)').choices(mapMethods))
    .option('--split <split>', 'images of map and channels: train, validation, test (default: validation)', splitName)
    .option('--images <n>', 'most images of map and channels, chosen by the seed (default: 1000)', positiveInteger)
    .option('--seed <n>', 'seed of the choice and of UMAP (default: 0)', naturalNumber)
    .addOption(trainingFlag('dataDir'))
    .option('--out <folder>', 'new folder for pictures and tables (default: features)')
    .addOption(bestOption());
  addAll(features, [...engineFlags(), jsonOption()]).action(async (path, images, options) =>
    exit(await (await import('./commands/features/features.js')).features(path, images, options, terminal)),
  );
}
