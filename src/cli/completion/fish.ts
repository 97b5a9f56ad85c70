import { quoted, words } from './cases.js';
import type { CommandEntry, FlagEntry, Values } from './table.js';

/** Descriptions are cut: a list of completions has one line for each. */
const mostLetters = 80;

function brief(description: string): string {
  const text = description.length > mostLetters ? `${description.slice(0, mostLetters - 1)}…` : description;
  return quoted(text.replaceAll('\\', '\\\\'));
}

/** `fovea COMMAND` at the cursor, with so many arguments behind it. */
const helpers = (table: readonly CommandEntry[]) => `function __fovea_at
    set -l name
    set -l arguments 0
    set -l flag
    for word in (commandline -opc)[2..]
        if test -n "$flag"; and not string match -q -- '-*' $word
            set flag
        else if string match -q -- '-*' $word
            set flag
            contains -- "$name $word" $__fovea_valued; and set flag $word
        else if test $arguments -eq 0; and contains -- (string join ' ' $name $word) $__fovea_commands
            set name (string join ' ' $name $word)
        else
            set arguments (math $arguments + 1)
        end
    end
    test "$name" = "$argv[1]"; or return 1
    switch "$argv[2]"
        case ''
            return 0
        case '*+'
            test $arguments -ge (string replace + '' -- $argv[2])
        case '*'
            test $arguments -eq $argv[2]
    end
end

set -g __fovea_commands ${table.flatMap(({ path }) => (path === '' ? [] : quoted(path))).join(' ')}
set -g __fovea_valued ${table.flatMap(valuedFlags).join(' ')}
`;

function valuedFlags({ path, flags }: CommandEntry): string[] {
  return flags.flatMap(({ names, values }) => (values === null ? [] : names.map((name) => quoted(`${path} ${name}`))));
}

/** Options of `complete` for the values: known words, and files unless there are none. */
function valuesOf({ words: known, isPath }: Values): string {
  return `${isPath ? '-F' : '-f'}${known.length === 0 ? '' : ` -a ${words(known)}`}`;
}

function flagLine(condition: string, { names, description, values }: FlagEntry): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const taken = values === null ? '' : ` -r ${valuesOf(values)}`;
  return `complete -c fovea -n ${condition} ${flags.join(' ')}${taken} -d ${brief(description)}`;
}

export function fishScript(table: readonly CommandEntry[]): string {
  const lines = table.flatMap(({ path, commands, flags, arguments: taken, isVariadic }) => {
    const at = (place: string) => quoted(`__fovea_at "${path}"${place === '' ? '' : ` ${place}`}`);
    return [
      ...commands.map(
        ({ name, description }) => `complete -c fovea -n ${at('0')} -f -a ${name} -d ${brief(description)}`,
      ),
      ...flags.map((flag) => flagLine(at(''), flag)),
      ...taken.map((values, i) => {
        const isLast = i === taken.length - 1 && isVariadic;
        return `complete -c fovea -n ${at(`${i}${isLast ? '+' : ''}`)} ${valuesOf(values)}`;
      }),
    ];
  });
  return `${helpers(table)}
complete -c fovea -e
complete -c fovea -f
${lines.join('\n')}
`;
}
