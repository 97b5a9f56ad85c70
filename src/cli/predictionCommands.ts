import type { Command } from 'commander';
import { addAll, trainingFlag } from './flags.js';
import { bestOption, engineFlags, jsonOption, naturalNumber, shareOption } from './options.js';
import type { Terminal } from './terminal.js';

/** Adds the commands that work on saved predictions. Each command's code is loaded when it is called. */
export function predictionCommands(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('compare')
    .description('compare trainings on the same images by their saved predictions, with tests')
    .argument('<run...>', 'two or more: folders of trainings or of cross-validations, or tables of eval --predictions')
    .option('--split <part>', 'images to compare on (default: test, else validation, else out-of-fold)')
    .option('--metrics <metrics>', 'metrics with commas between them, such as auc,accuracy,quadraticKappa')
    .addOption(trainingFlag('positive', { default: 'that of the first run' }))
    .option('--by-image', 'take images as independent, although they have groups')
    .option('--each', 'runs that differ in their seed alone as models of their own')
    .option('--seed <n>', 'seed of the resamples (default: 0)', naturalNumber)
    .option('--differences <file>', 'new table (CSV) of the images that are not predicted alike')
    .addOption(bestOption())
    .addOption(jsonOption())
    .action(async (paths, options) =>
      exit(await (await import('./commands/compare.js')).compare(paths, options, terminal)),
    );

  const file = program
    .command('dossier')
    .description('write what reviewers of a screening test ask for, as far as a run of two classes can answer it')
    .argument('<run>', 'folder of a training')
    .option('--out <dir>', 'new folder for dossier.md and dossier.html (default: dossier)')
    .option(
      '--prevalence <share>',
      'share of the positive class where the test will be used, such as 0.03',
      shareOption,
    )
    .option('--table <file>', 'table with columns of subgroups (default: that of csv data)')
    .option('--subgroups <columns>', 'its columns, with commas (default: those with few values, and numbers in thirds)')
    .option('--external <file>', 'table of eval --predictions for data of another place')
    .option('--robustness', 'run the network on blurred, compressed, darker, brighter and cropped images too');
  addAll(file, [...engineFlags(), jsonOption()]).action(async (path, options) =>
    exit(await (await import('./commands/dossier.js')).dossier(path, options, terminal)),
  );

  program
    .command('ensemble')
    .description('average the saved predictions of trainings, and compare the ensemble with each of them')
    .argument('<run...>', 'two or more: folders of trainings or of cross-validations, or tables of eval --predictions')
    .option('--split <part>', 'images (default: test, else validation, else out-of-fold)')
    .option('--metrics <metrics>', 'metrics with commas between them, such as auc,accuracy')
    .addOption(trainingFlag('positive', { default: 'that of the first run' }))
    .option('--by-image', 'take images as independent, although they have groups')
    .option('--seed <n>', 'seed of the resamples (default: 0)', naturalNumber)
    .option('--predictions <file>', 'new table (CSV) of the predictions of the ensemble')
    .addOption(bestOption())
    .addOption(jsonOption())
    .action(async (paths, options) =>
      exit(await (await import('./commands/ensemble.js')).ensemble(paths, options, terminal)),
    );
}
