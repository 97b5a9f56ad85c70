import { type Command, InvalidArgumentError } from 'commander';
import { synonymOf } from '../run/configuration.js';
import { nearestName, suggestion } from '../text/suggest.js';
import { flagOf } from './flags.js';

/** An option or an argument, as far as values are checked. */
interface Checked {
  readonly argChoices?: string[];
  parseArg?: (value: string, previous: never) => unknown;
}

/** Adds the nearest name to messages about unknown values and options of all commands. */
export function addSuggestions(program: Command): void {
  for (const one of [...program.options, ...program.registeredArguments]) suggestChoices(one as Checked);
  const { outputError } = program.configureOutput();
  program.configureOutput({
    outputError: (text, write) => outputError?.(withOption(text, program), write),
  });
  for (const command of program.commands) addSuggestions(command);
}

function suggestChoices(one: Checked): void {
  const { argChoices: choices } = one;
  if (choices === undefined) return;
  one.parseArg = (value) => {
    if (choices.includes(value)) return value;
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}${suggestion(value, choices) || '.'}`);
  };
}

/** Commander itself finds options that are spelled alike, but not names from other programs. */
function withOption(text: string, command: Command): string {
  const name = /^error: unknown option '--([^'=]+)[^']*'$/.exec(text.trim())?.[1];
  if (name === undefined) return text;
  const flags = command.options.flatMap(({ long }) => (long == null ? [] : [long]));
  const synonym = synonymOf(name);
  const flag = synonym === undefined ? undefined : flagOf(synonym);
  const near = flag !== undefined && flags.includes(flag) ? flag : nearestName(`--${name}`, flags);
  return near === null ? text : `${text.trimEnd()} (Did you mean ${near}?)\n`;
}
