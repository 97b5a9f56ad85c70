import { Argument, Command, CommanderError, Option } from 'commander';
import { debugLevel } from '../env.js';
import { messageOf } from '../errors.js';
import { augmentationNames } from '../run/tta.js';
import { visibleText } from '../text/visible.js';
import { version } from '../version.js';
import { dataCommands } from './dataCommands.js';
import { exitCodeOf } from './exitCode.js';
import { explanationCommands } from './explanationCommands.js';
import { addAll, trainingFlag, trainingFlags } from './flags.js';
import { trainNotes } from './notes.js';
import {
  bestOption,
  engineFlags,
  imageFlags,
  jsonOption,
  positiveInteger,
  sizes,
  splitName,
  thresholdOption,
} from './options.js';
import { predictionCommands } from './predictionCommands.js';
import { runCommands } from './runCommands.js';
import { searchCommands } from './searchCommands.js';
import { studioCommand } from './studioCommand.js';
import { addSuggestions } from './suggestions.js';
import { complain, type Terminal } from './terminal.js';

/** Commands whose results are files. They print progress only. */
const fileCommands = ['train', 'sweep', 'import', 'synth', 'show', 'convert', 'slim'];

/**
 * Runs the command line.
 *
 * @param args without the program itself
 * @returns the exit code: 0 done, 1 failed, 2 wrong call or input, 128 and the number of the signal that
 * stopped it
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
      // Commander has printed the error or the help.
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
    return exitCodeOf(error);
  }
}

function wantsStack(): boolean {
  try {
    return debugLevel() >= 1;
  } catch {
    // The variable itself is wrong.
    return false;
  }
}

/** Each command's code is loaded when it is called, so that `--help` and small commands start quickly. */
function makeProgram(terminal: Terminal, exit: (code: number) => void): Command {
  const program = new Command('fovea');
  program
    .description('Trains, evaluates and runs image classifiers on plain CPUs.')
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

  const training = program
    .command('train')
    .description('train a network, and keep everything in a run folder')
    .addArgument(new Argument('[model]', 'network, such as lenet'))
    .option(
      '--config <file>',
      'YAML with these options in camelCase, schedule, transforms and more; options on the command line win',
    )
    .option(
      '--resume <run>',
      'resume a training that was stopped or killed, instead of a model; with --epochs also a finished one, ' +
        'with --data if its data have moved',
    )
    .option(
      '--repeat <run>',
      'repeat a training from its record, instead of a model, and report whether the weights are equal',
    )
    .option('--print-config', 'print all options of the training as YAML, as --config takes them, and train nothing')
    .option(
      '--dry-run',
      'open the data, build the network, print memory and an estimate of the time, and train and write nothing',
    );
  addAll(training, [...trainingFlags(), jsonOption()])
    .addHelpText('after', trainNotes())
    .action(async (name: string | undefined, options, command: Command) => {
      const given = Object.keys(options).filter((key) => command.getOptionValueSource(key) === 'cli');
      exit(await (await import('./commands/train.js')).train(name, options, given, terminal));
    });

  const evaluation = program
    .command('eval')
    .description('evaluate a trained network')
    .addArgument(
      new Argument('<run>', 'folder of a training, or a file of weights with its record (.safetensors, .pdparams)'),
    )
    .addOption(trainingFlag('data', { default: 'that of the training' }))
    .option('--split <split>', 'images to evaluate: train, validation, test or all (default: validation)', splitName)
    .addOption(bestOption())
    .addOption(trainingFlag('dataDir'))
    .addOption(trainingFlag('fixes'))
    .addOption(trainingFlag('positive', { default: 'that of the run' }))
    .addOption(thresholdOption())
    .addOption(trainingFlag('screening'))
    .addOption(
      new Option(
        '--tta <views>',
        'test-time augmentation: average the outputs for the image and its mirror image, or for all four flips',
      ).choices(augmentationNames),
    )
    .option('--intervals', 'intervals of all metrics for more than 1,000 images too, which takes a while')
    .option('--report <file>', 'new HTML file with the metrics, curves and worst mistakes')
    .option(
      '--predictions <file>',
      'new table (CSV) of every prediction: file, split, group, label, predicted class, probabilities, logits',
    )
    .addOption(trainingFlag('batchSize', { help: 'images at once' }));
  addAll(evaluation, [...imageFlags(), ...engineFlags(), jsonOption()]).action(async (path, options) =>
    exit(await (await import('./commands/eval.js')).evaluate(path, options, terminal)),
  );

  const prediction = program
    .command('predict')
    .description('classify pictures')
    .addArgument(folder())
    .argument(
      '<image...>',
      'pictures (JPEG, PNG, WebP, GIF, TIFF; with MNIST AVIF and SVG too), folders of them, or - for one that is piped in',
    )
    .addOption(bestOption())
    .addOption(trainingFlag('positive', { default: 'that of the run' }))
    .addOption(thresholdOption())
    .addOption(trainingFlag('screening'))
    .option('--top <n>', 'classes to show of each picture (default: 3)', positiveInteger)
    .option('--csv', "print a table with commas; for iChallenge-PM in the challenge's form: FileName,PM Risk")
    .option('--out <file>', 'with --csv: a new file for it');
  addAll(prediction, [...engineFlags(), jsonOption()]).action(async (path, images, options) =>
    exit(await (await import('./commands/predict.js')).predict(path, images, options, terminal)),
  );

  explanationCommands(program, terminal, exit);

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

  const benchmark = program
    .command('bench')
    .description('measure the training step of a network, or inference, on random images')
    .addArgument(model())
    .requiredOption('--batch <n>', 'images in a step', positiveInteger)
    .option('--inference', 'the forward pass in evaluation mode, instead of a training step')
    .option('--input <sizes>', 'channels,height,width', sizes(3, 'channels,height,width'))
    .option('--steps <n>', 'measured steps (default: two seconds of them)', positiveInteger)
    .option('--warmup <n>', 'steps before that (default: two seconds of them)', positiveInteger)
    .option('--profile', 'show where the time goes: kernels, layers, changes of layout')
    .option('--trace <file>', "profile, and write the steps to a file in Chrome's trace format (ui.perfetto.dev)");
  addAll(benchmark, [...engineFlags(), jsonOption()]).action(async (name, options) =>
    exit(await (await import('./commands/bench.js')).bench(name, options, terminal)),
  );

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
    .addHelpText('after', '\nOnly train --resume needs that state: eval, predict and --pretrained still work.')
    .action(async (path, options) => exit(await (await import('./commands/slim.js')).slim(path, options, terminal)));

  dataCommands(program, terminal, exit);
  predictionCommands(program, terminal, exit);
  runCommands(program, terminal, exit);
  searchCommands(program, terminal, exit);
  studioCommand(program, terminal, exit);

  program
    .command('setup')
    .description('get the library oneDNN unless this machine has it: by pip, or by apt')
    .option('--offline', 'fetch nothing')
    .option('--timeout <seconds>', 'end a program that does nothing for so long (default: 60)', positiveInteger)
    .option('--quiet', 'print nothing if the library is there')
    .addOption(jsonOption())
    .action(async (options) => exit(await (await import('./commands/setup.js')).setup(options, terminal)));

  program
    .command('schema')
    .description('print the JSON Schema of what a command prints with --json')
    .argument(
      '[name...]',
      'a command such as train or data check, a kind such as train.epoch, or all (default: a list)',
    )
    .action(async (names) => exit((await import('./commands/schema.js')).schema(names, terminal)));

  program
    .command('completion')
    .description('print a script that completes commands, options and values in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell) => exit((await import('./commands/completion.js')).completion(program, shell, terminal)));

  program
    .command('doctor')
    .description('check whether this machine has everything that Fovea needs, and say what to do')
    .addOption(trainingFlag('dataDir'))
    .addOption(jsonOption())
    .action(async (options) => exit(await (await import('./commands/doctor.js')).doctor(options, terminal)));

  addSuggestions(program);
  return program;
}
