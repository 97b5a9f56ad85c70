import { quoted, valueCases, words } from './cases.js';
import type { CommandEntry } from './table.js';

/**
 * Sets `commands`, `flags` and `valued` (flags with a value) by the command, and `values` and `files` by the
 * command and a flag or the number of an argument. Bash and zsh read it alike.
 */
function tables(table: readonly CommandEntry[]): string {
  const commands = table.map(({ path, commands, flags }) => {
    const names = flags.flatMap((flag) => flag.names);
    const valued = flags.flatMap((flag) => (flag.values === null ? [] : flag.names));
    return `    ${quoted(path)}) commands=${words(commands.map(({ name }) => name))} flags=${words(names)} valued=${words(valued)} ;;`;
  });
  return `_fovea_command() {
  case "$1" in
${commands.join('\n')}
  esac
}

_fovea_values() {
  values='' files=''
  case "$1" in
${valueCases(table).join('\n')}
  esac
}
`;
}

/** Finds the command, and sets what fits at the cursor; `before` are the words between program and cursor. */
const walk = `  local name='' argument=0 flag='' word commands flags valued values files
  _fovea_command ''
  for word in "\${before[@]}"; do
    if [[ -n $flag && ( $word != -* || " $optional " != *" $flag "* ) ]]; then
      flag=''
    elif [[ $word == -* ]]; then
      flag=''
      [[ " $valued " == *" $word "* ]] && flag=$word
    elif [[ $argument -eq 0 && " $commands " == *" $word "* ]]; then
      name="\${name:+$name }$word"
      _fovea_command "$name"
    else
      argument=$((argument + 1))
    fi
  done
  [[ $cur == -* && " $optional " == *" $flag "* ]] && flag=''
  if [[ -n $flag ]]; then
    _fovea_values "$name $flag"
  elif [[ $cur == --*=* ]]; then
    _fovea_values "$name \${cur%%=*}"
    start="\${cur%%=*}="
    cur=\${cur#*=}
  elif [[ $cur == -* ]]; then
    values=$flags files=''
  else
    _fovea_values "$name $argument"
    [[ $argument -eq 0 ]] && values="$commands $values"
  fi
  if [[ $cur == *:* && " $values " == *" \${cur%%:*}: "* ]]; then
    start="$start\${cur%%:*}:"
    cur=\${cur#*:}
    values='' files=1
  fi
`;

function optionalFlags(table: readonly CommandEntry[]): string {
  const names = table.flatMap(({ flags }) => flags.flatMap((flag) => (flag.isOptional ? flag.names : [])));
  return words([...new Set(names)]);
}

export function bashBody(table: readonly CommandEntry[]): string {
  return `${tables(table)}
_fovea() {
  local line=\${COMP_LINE:0:COMP_POINT} cur='' start='' before optional=${optionalFlags(table)} found
  read -ra before <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    cur=\${before[\${#before[@]} - 1]}
    before=("\${before[@]:0:\${#before[@]} - 1}")
  fi
  before=("\${before[@]:1}")
${walk}  COMPREPLY=()
  while IFS= read -r found; do
    [[ -n $found ]] && COMPREPLY+=("$start$found")
  done < <(compgen -W "$values" -- "$cur"; [[ -n $files ]] && compgen -f -- "$cur")
  [[ -n $files ]] && compopt -o filenames 2>/dev/null
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
  # Bash replaces the text behind the last of these characters alone.
  local all=$start$cur kept='' mark
  for mark in = :; do
    if [[ $COMP_WORDBREAKS == *$mark* && $all == *$mark* ]]; then
      local behind=\${all##*$mark}
      local upto=\${all%"$behind"}
      [[ \${#upto} -gt \${#kept} ]] && kept=$upto
    fi
  done
  local i
  for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$kept"}; done
}

complete -F _fovea fovea
`;
}

export function zshBody(table: readonly CommandEntry[]): string {
  return `${tables(table)}
_fovea() {
  emulate -L zsh
  local cur=\${(Q)words[CURRENT]} start='' optional=${optionalFlags(table)}
  local -a before=("\${(@Q)words[2,CURRENT-1]}")
${walk}  [[ -n $start ]] && compset -P \${#start}
  local -a all=(\${=values})
  local -a open=(\${(M)all:#*:}) closed=(\${all:#*:})
  local found=1
  compadd -- $closed && found=0
  compadd -S '' -- $open && found=0
  [[ -n $files ]] && _files && found=0
  return found
}

if [[ $funcstack[1] == _fovea ]]; then
  _fovea "$@"
else
  compdef _fovea fovea
fi
`;
}
