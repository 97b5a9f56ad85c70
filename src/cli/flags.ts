import { type Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { describeDefault, type TrainingOption } from '../run/option.js';
import { optionFlag } from '../run/optionFlag.js';
import { trainingOptions } from '../run/trainingOptions.js';

/** The options of a training as flags of the command line. */

export type OptionKey = keyof typeof trainingOptions;

/** The flag of an option: `--batch-size`. */
export function flagOf(key: string): string {
  return optionFlag(key);
}

/** A flag whose value is stored under the key of the option. */
class TrainingFlag extends Option {
  constructor(
    readonly key: string,
    flags: string,
    description: string,
  ) {
    super(flags, description);
  }

  override attributeName(): string {
    return this.key;
  }
}

/** Defaults that the help does not show. */
const silent = ['recipe', 'none', 'no', 'false', 'true'];

/** @param other words instead of those of the table, for commands other than `train` */
export function trainingFlag(
  key: OptionKey,
  other: { readonly help?: string; readonly default?: string } = {},
): Option {
  const option: TrainingOption = trainingOptions[key];
  const usual = plain(other.default ?? describeDefault(option));
  const help = plain(other.help ?? option.flagHelp ?? option.help);
  const flags = [flagOf(key), option.placeholder ?? ''].join(' ').trim();
  const made = new TrainingFlag(key, flags, silent.includes(usual) ? help : `${help} (default: ${usual})`);
  const { type } = option;
  if (type instanceof z.ZodEnum) return made.choices(type.options.map(String));
  const parse = parserOf(option);
  return parse === null ? made : made.argParser(parse);
}

/** The flags of all options that the command line can give. */
export function trainingFlags(): Option[] {
  const entries = Object.entries<TrainingOption>(trainingOptions);
  return entries.flatMap(([key, { placeholder }]) => (placeholder === null ? [] : trainingFlag(key as OptionKey)));
}

/** Text of the table without the backticks that mark code. */
function plain(text: string): string {
  return text.replaceAll('`', '');
}

function parserOf({ type, parse }: TrainingOption): ((text: string) => unknown) | null {
  if (parse !== undefined) return argument(parse);
  return type instanceof z.ZodNumber ? numberOf(type) : null;
}

/** Parses a number of some type; commander adds the name of the option to the message. */
export function numberOf(type: z.ZodNumber): (text: string) => number {
  const form = type.format === 'safeint' ? /^\d+$/ : /^[\d.]+(e[+-]?\d+)?$/i;
  return (text) => {
    const number = form.test(text) ? Number(text) : Number.NaN;
    if (type.safeParse(number).success) return number;
    const { maxValue } = type;
    if (type.format !== 'safeint' && maxValue !== null && number > maxValue && maxValue > 1) {
      throw new InvalidArgumentError(`expected at most ${maxValue}`);
    }
    throw new InvalidArgumentError(`expected ${type.description}`);
  };
}

/** Errors that name no place get one from commander. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof InputError && !error.message.startsWith('[')) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

export function addAll(command: Command, options: readonly Option[]): Command {
  return options.reduce((to, option) => to.addOption(option), command);
}

const references = /`(\w+)(?:: '([^'`]*)')?`/g;
/** Flags that are no options of a training. */
const otherFlags = ['each', 'predictions', 'maxBytes', 'maxEntries', 'maxRatio', 'offline', 'repeat', 'resume'];
/** The keys of options by their names in code. */
const keysByName = new Map(
  Object.entries<TrainingOption>(trainingOptions).map(([key, { as: name = key }]) => [name, key as OptionKey]),
);

/**
 * Spells the options in a message of the library as flags; `src/text/option.ts` makes the references to them.
 */
export function inFlags(message: string): string {
  return message.replaceAll(references, (reference, name: string, value: string | undefined) => {
    const key = keysByName.get(name);
    if (key === undefined && !otherFlags.includes(name)) return reference;
    if (key !== undefined && trainingOptions[key].placeholder === null) {
      return `${value === undefined ? key : `${key}: ${value}`}, with --config`;
    }
    const flag = flagOf(key ?? name);
    if (value === undefined) return flag;
    return `${flag} ${/^[\w:./=-]+$/.test(value) ? value : `"${value}"`}`;
  });
}
