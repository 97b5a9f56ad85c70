import type { Argument, Command, Option } from 'commander';
import { dataForms, namedDatasets } from '../../run/catalog/datasets.js';
import { namedModels } from '../../run/catalog/models.js';
import { metricNames } from '../../statistics/namedMetrics.js';

/** Words that a shell can complete, read from the commands themselves. */

/** Values of an option or argument. */
export interface Values {
  /** Known values. One that ends with a colon continues with a path. */
  readonly words: readonly string[];
  /** Whether it may be the path of a file or folder. */
  readonly isPath: boolean;
}

export interface FlagEntry {
  /** `--data`, `-h` */
  readonly names: readonly string[];
  readonly description: string;
  /** Null for a flag without a value. */
  readonly values: Values | null;
  /** Whether the value may be left out. */
  readonly isOptional: boolean;
}

export interface CommandEntry {
  /** Names from the program on, with spaces between them; empty for the program itself. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly flags: readonly FlagEntry[];
  /** Arguments in order. The last one stands for all further ones if it takes several. */
  readonly arguments: readonly Values[];
  readonly isVariadic: boolean;
}

/** Known values by the name of a placeholder: `<model>`, `[model]`. */
const wordsOf: Readonly<Record<string, readonly string[]>> = {
  model: Object.keys(namedModels),
  data: dataForms.map((form) => form.replace(/:.*/, ':')),
  kind: Object.keys(namedDatasets),
  split: ['train', 'validation', 'test', 'all'],
  part: ['train', 'validation', 'test'],
  metric: ['loss', 'acc', 'train_loss', 'train_acc'],
  metrics: metricNames,
};

/** Placeholders of values that may be paths. */
const paths = ['file', 'file.png', 'path', 'dir', 'folder', 'run', 'image', 'in', 'out', 'source', 'weights'];

function valuesOf(placeholder: string, choices: readonly string[] | undefined): Values {
  const words = choices ?? (Object.hasOwn(wordsOf, placeholder) ? wordsOf[placeholder] : []);
  return { words, isPath: choices === undefined && paths.includes(placeholder) };
}

function flagOf(option: Option): FlagEntry {
  const { short, long, description, required, optional, argChoices } = option;
  const placeholder = /[<[]([^>\].]+(?:\.\w+)?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1] ?? '';
  return {
    names: [short, long].filter((name) => name !== undefined),
    description,
    values: required || optional ? valuesOf(placeholder, argChoices) : null,
    isOptional: optional,
  };
}

/** The command of a group that is called without its name. Commander offers no other way to ask. */
function defaultCommandOf(command: Command): Command | undefined {
  const { _defaultCommandName: name } = command as { readonly _defaultCommandName?: unknown };
  return command.commands.find((one) => one.name() === name);
}

/** All commands of a program, groups before their commands. */
export function completionTable(command: Command, path = ''): CommandEntry[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const called = defaultCommandOf(command) ?? command;
  const taken: readonly Argument[] = called.registeredArguments;
  const own: CommandEntry = {
    path,
    commands: commands.map((one) => ({ name: one.name(), description: one.description() })),
    flags: help.visibleOptions(called).map(flagOf),
    arguments: taken.map((argument) => valuesOf(argument.name(), argument.argChoices)),
    isVariadic: taken.at(-1)?.variadic ?? false,
  };
  const below = command.commands.flatMap((one) => completionTable(one, `${path} ${one.name()}`.trim()));
  return [own, ...below];
}
