import { Argument, Command, CommanderError, Option } from 'commander';
import { debugLevel } from '../env.js';
import { InputError, messageOf } from '../errors.js';
import { optimizerNames } from '../run/recipes.js';
import { visibleText } from '../text/visible.js';
import { version } from '../version.js';
import { fits } from '../vision/images/preprocess.js';
import { dataCommands } from './dataCommands.js';
import {
  bestOption,
  convOption,
  dataDirOption,
  engineOption,
  fileColumnOption,
  imageSize,
  jsonOption,
  labelColumnOption,
  naturalNumber,
  noCacheOption,
  nonNegative,
  onBadImageOption,
  operatingRule,
  positiveInteger,
  positiveOption,
  precisionOption,
  rootOption,
  screeningOption,
  share,
  sizes,
  splitColumnOption,
  splitName,
  tensorBoardOption,
  threadsOption,
  workersOption,
} from './options.js';

import { complain, type Terminal } from './terminal.js';

/** Commands whose results are files; what they print is news of the work. */
const fileCommands = ['train', 'import', 'synth', 'convert', 'slim'];

/**
 * Runs the command line.
 *
 * @param args without the program itself
 * @returns the exit code: 0 done, 1 failed, 2 wrong call or input, 128 and the signal's number if it was told to stop
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  let command = '';
  const program = makeProgram(terminal, (result) => {
    code = result;
  });
  program.hook('preAction', (_, called) => {
    command = called.name();
  });
  try {
    await program.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
      // Commander has said what is wrong, or shown the help that was asked for.
      if (!(error instanceof CommanderError)) throw error;
      code = error.exitCode === 0 ? 0 : 2;
    });
    // The streams report errors after the call that wrote.
    await new Promise(setImmediate);
    if (code === 0 && terminal.outputFailed === true && !fileCommands.includes(command)) return 1;
    return code;
  } catch (error) {
    complain(terminal, messageOf(error));
    if (wantsStack()) terminal.stderr.write(`${visibleText((error instanceof Error && error.stack) || '')}\n`);
    return error instanceof InputError ? 2 : 1;
  }
}

function wantsStack(): boolean {
  try {
    return debugLevel() >= 1;
  } catch {
    // The variable itself was what was wrong.
    return false;
  }
}

/** Each command's code is loaded when it is called, so that `--help` and small commands start quickly. */
function makeProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('fovea');
  program
    .description('Trains, judges and runs image classifiers on plain CPUs.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      getOutHelpWidth: () => terminal.stdout.columns || 100,
      getErrHelpWidth: () => terminal.stderr.columns || 100,
      outputError: (text) => complain(terminal, text.replace(/^error: /, '')),
    })
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 wrong call or input, 130 Ctrl-C (the state has been saved; so it is after SIGTERM, 143,
and SIGHUP, 129).

Examples:
  fovea train lenet --data mnist --seed 1 --out runs/first
  fovea train --resume runs/first
  fovea train --repeat runs/first
  fovea eval runs/first
  fovea predict runs/first digit.png photo.jpg
  fovea train resnet50 --data folder:photos`,
    );

  const model = () => new Argument('<model>', 'network, such as lenet');
  const folder = () => new Argument('<run>', 'folder of a training');

  program
    .command('train')
    .description('train a network, and keep everything in a run folder')
    .addArgument(new Argument('[model]', 'network, such as lenet'))
    .option(
      '--config <file>',
      'YAML with these options in camelCase, schedule, transforms and more; options go before it',
    )
    .option(
      '--resume <run>',
      'go on with a training that was stopped or killed, in place of a model; with --epochs also with one that has ' +
        'finished, with --data where its data lie now',
    )
    .option(
      '--repeat <run>',
      'do a training once more from its record, in place of a model, and say whether the weights came out equal',
    )
    .option(
      '--data <data>',
      'mnist, fashionmnist, cifar10, cifar100, palm:DIR, folder:DIR or csv:FILE (default: the usual one of the model)',
    )
    .addOption(dataDirOption())
    .option('--size <edge>', 'edge that photographs are resized to, or height,width', imageSize)
    .addOption(
      new Option(
        '--order <order>',
        'of the colour channels (default: RGB, for palm BGR, or that of the weights of --pretrained)',
      ).choices(['RGB', 'BGR']),
    )
    .option('--antialias', 'resize photographs with antialiasing')
    .addOption(
      new Option(
        '--fit <how>',
        'photographs of other proportions: squash (default), crop to the middle, or pad with black',
      ).choices(fits),
    )
    .option(
      '--hold-out <share>',
      'of each class, kept back for judging where the data does not say (default: 0.2)',
      share,
    )
    .option(
      '--transforms <list>',
      "changes of the training images, such as 'RandomCrop(32, padding=4),RandomHorizontalFlip'; what draws nothing, such as " +
        'Normalize, is done in judging and prediction too; see `data show`',
    )
    .option('--epochs <n>', 'passes over the training images', positiveInteger)
    .option('--batch-size <n>', 'images in a step', positiveInteger)
    .option('--eval-every <n>', 'epochs between two evaluations (default: 1)', positiveInteger)
    .option(
      '--save-best <figure>',
      'keep the weights of the best epoch as well, by loss, acc, train_loss …; see `eval --best`',
    )
    .option(
      '--early-stopping <n>',
      'end once the figure of --save-best, or else the loss, has not got better in n evaluations',
      positiveInteger,
    )
    .option('--lr <rate>', 'learning rate', nonNegative)
    .addOption(new Option('--optimizer <name>', 'how parameters are updated').choices(optimizerNames))
    .option('--momentum <share>', 'of the optimizer momentum', share)
    .option('--weight-decay <coefficient>', 'L2 penalty; with adamw decoupled', nonNegative)
    .option(
      '--pretrained [weights]',
      'begin with the weights of a .pdparams or .safetensors file, or of a run folder; without one with those that ' +
        'Paddle has of a zoo- network, trained on RGB pictures of ImageNet. Inputs are made as the weights had them',
    )
    .option('--best', 'with --pretrained RUN: begin with its best weights')
    .option('--auxiliary-heads', "train with GoogLeNet's inner classifiers")
    .option(
      '--operating-point <rule>',
      'sensitivity=S, specificity=S or youden: how the threshold between two classes is chosen, on the training images ' +
        '(default: sensitivity=0.95)',
      operatingRule,
    )
    .addOption(positiveOption('told from normal, negative, no… and the like, else the last'))
    .addOption(screeningOption())
    .option('--seed <n>', 'of all that is random: the same seed gives the same network', naturalNumber, 0)
    .option('--out <dir>', 'run folder, new or empty (default: runs/MODEL-DATA-TIME)')
    .option('--save-steps <n>', 'save the state after so many steps as well as after each epoch', positiveInteger)
    .option('--log-every <n>', 'batches between two lines of progress', positiveInteger)
    .addOption(tensorBoardOption())
    .addOption(workersOption())
    .addOption(noCacheOption())
    .addOption(onBadImageOption())
    .addOption(fileColumnOption())
    .addOption(labelColumnOption())
    .addOption(splitColumnOption())
    .addOption(rootOption())
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(convOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nWhat is left out is taken from the recipe of the model and data set.')
    .action(async (name: string | undefined, options, command: Command) => {
      const given = Object.keys(options).filter((key) => command.getOptionValueSource(key) === 'cli');
      exit(await (await import('./commands/train.js')).train(name, options, given, terminal));
    });

  program
    .command('eval')
    .description('judge a trained network')
    .addArgument(folder())
    .option(
      '--data <data>',
      'mnist, fashionmnist, cifar10, cifar100, palm:DIR, folder:DIR or csv:FILE (default: that of the training)',
    )
    .option('--split <split>', 'images to judge by: train, validation, test or all (default: validation)', splitName)
    .addOption(bestOption())
    .addOption(dataDirOption())
    .addOption(positiveOption('that of the run'))
    .addOption(screeningOption())
    .option('--report <file>', 'new HTML file with the figures, curves and worst mistakes')
    .option('--batch-size <n>', 'images at once', positiveInteger)
    .addOption(workersOption())
    .addOption(noCacheOption())
    .addOption(onBadImageOption())
    .addOption(fileColumnOption())
    .addOption(labelColumnOption())
    .addOption(splitColumnOption())
    .addOption(rootOption())
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(convOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .action(async (path, options) =>
      exit(await (await import('./commands/eval.js')).evaluate(path, options, terminal)),
    );

  program
    .command('predict')
    .description('classify pictures')
    .addArgument(folder())
    .argument(
      '<image...>',
      'pictures (JPEG, PNG, WebP, GIF, TIFF; with MNIST AVIF and SVG too), folders of them, or - for one that is piped in',
    )
    .addOption(bestOption())
    .addOption(positiveOption('that of the run'))
    .addOption(screeningOption())
    .option('--top <n>', 'classes to show of each picture (default: 3)', positiveInteger)
    .option('--csv', "print a table with commas; for iChallenge-PM in the challenge's form: FileName,PM Risk")
    .option('--out <file>', 'with --csv: a new file for it')
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(convOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .action(async (path, images, options) =>
      exit(await (await import('./commands/predict.js')).predict(path, images, options, terminal)),
    );

  program
    .command('summary')
    .description('show the layers of a network: output shapes, parameters')
    .addArgument(model())
    .option(
      '--input <sizes>',
      'batch,channels,height,width (default: one image)',
      sizes(4, 'batch,channels,height,width'),
    )
    .option('--classes <n>', 'outputs (default: as many as the usual data set needs)', positiveInteger)
    .addOption(jsonOption())
    .action(async (name, options) =>
      exit(await (await import('./commands/summary.js')).summary(name, options, terminal)),
    );

  program
    .command('bench')
    .description('measure the training step of a network, or inference, on random images')
    .addArgument(model())
    .requiredOption('--batch <n>', 'images in a step', positiveInteger)
    .option('--inference', 'the forward pass in evaluation mode, in place of a training step')
    .option('--input <sizes>', 'channels,height,width', sizes(3, 'channels,height,width'))
    .option('--steps <n>', 'measured steps (default: two seconds of them)', positiveInteger)
    .option('--warmup <n>', 'steps before that (default: two seconds of them)', positiveInteger)
    .option('--profile', 'show where the time goes: kernels, layers, changes of layout')
    .option('--trace <file>', "profile, and write the steps to a file in Chrome's trace format (ui.perfetto.dev)")
    .addOption(engineOption())
    .addOption(threadsOption())
    .addOption(convOption())
    .addOption(precisionOption())
    .addOption(jsonOption())
    .action(async (name, options) => exit(await (await import('./commands/bench.js')).bench(name, options, terminal)));

  program
    .command('convert')
    .description("turn Paddle's files into safetensors or back, or a training into Paddle's files")
    .argument('<in>', '.pdparams, .pdopt or .safetensors file, or the folder of a training')
    .argument('<out>', 'new file; its ending says what it will be')
    .option('--names <file>', "for optimizers: a .pdparams file with Paddle's names of the parameters")
    .addOption(
      new Option('--protocol <n>', "of the pickle in Paddle's files; Paddle before 2.1 needs 2 (default: 4)").choices([
        '2',
        '4',
      ]),
    )
    .option('--force', 'overwrite the new file if it is there')
    .addOption(jsonOption())
    .action(async (input, output, options) =>
      exit(await (await import('./commands/convert.js')).convert(input, output, options, terminal)),
    );

  program
    .command('slim')
    .description("free the bytes of the optimizer's state of a finished training")
    .addArgument(folder())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nOnly train --resume needs that state: the run can be judged, used for predictions and begun with as before.',
    )
    .action(async (path, options) => exit(await (await import('./commands/slim.js')).slim(path, options, terminal)));

  dataCommands(program, terminal, exit);

  program
    .command('doctor')
    .description('look whether this machine has all that is needed, and say what to do')
    .addOption(dataDirOption())
    .addOption(jsonOption())
    .action(async (options) => exit(await (await import('./commands/doctor.js')).doctor(options, terminal)));

  return program;
}
