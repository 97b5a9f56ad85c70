import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeWith, itWith } from '../needs.js';
import { temporaryFolder } from '../temporary.js';
import { runFovea as fovea } from './run.js';

const root = temporaryFolder();
mkdirSync(join(root, 'photos'));

async function scriptFor(shell: string): Promise<string> {
  const { code, out, err } = await fovea('completion', shell);
  expect([code, err]).toEqual([0, '']);
  writeFileSync(join(root, `fovea.${shell}`), out);
  return out;
}

/** Runs a shell's commands in a folder with the script and the folder `photos`. */
function shell(name: string, commands: string, args: readonly string[] = []): string {
  return execFileSync(name, [...args, '-c', commands], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Lines with the cursor at the end, and words that are offered there; words that must not be begin with `!`. */
const cases: readonly (readonly [line: string, ...expected: string[]])[] = [
  ['fovea tr', 'train', '!eval'],
  ['fovea train len', 'lenet', 'lenet224', '!alexnet'],
  ['fovea train lenet --dat', '--data', '--data-dir', '!--epochs'],
  ['fovea train lenet --data ', 'mnist', 'folder:', '!lenet'],
  ['fovea train lenet --data c', 'cifar10', 'csv:', '!mnist'],
  ['fovea train lenet --engine ', 'onednn', 'portable'],
  ['fovea train lenet --optimizer ad', 'adam', 'adamw', '!sgd'],
  ['fovea train --pretrained --se', '--seed'],
  ['fovea eval pho', 'photos'],
  ['fovea eval run --spl', '--split'],
  ['fovea data palm ', 'import', 'synth', '!check'],
  ['fovea data palm show --set ', 'train', 'validation'],
  ['fovea data check photos --fix', '--fixes'],
  ['fovea runs --model lenet2', 'lenet224'],
  ['fovea compare a b --metrics au', 'auc'],
  ['fovea predict run a b pho', 'photos'],
  ['fovea completion ', 'bash', 'zsh', 'fish'],
];

function expectWords([line, ...expected]: (typeof cases)[number], found: readonly string[]): void {
  for (const word of expected) {
    if (word.startsWith('!')) expect(found, line).not.toContain(word.slice(1));
    else expect(found, line).toContain(word);
  }
}

describeWith('bash', 'completion bash', () => {
  /** Words that are offered for each line, by the script itself. */
  const offered = (lines: readonly string[]) => {
    const ask = `ask() { COMP_LINE=$1 COMP_POINT=\${#1} COMPREPLY=(); _fovea; echo "\${COMPREPLY[@]}"; }`;
    const calls = lines.map((line) => `ask '${line}'`);
    const out = shell('bash', ['source ./fovea.bash', 'complete -p fovea', ask, ...calls].join('\n'), ['--norc']);
    const [registered, ...answers] = out.trimEnd().split('\n');
    expect(registered).toBe('complete -F _fovea fovea');
    return answers.map((answer) => answer.split(' '));
  };

  it('offers commands, options and values', async () => {
    await scriptFor('bash');
    const lines = cases.map(([line]) => line);
    for (const [i, found] of offered(lines).entries()) expectWords(cases[i], found);
  });

  it('offers every command of the help', async () => {
    await scriptFor('bash');
    const { out } = await fovea('--help');
    const commands = [...out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name);
    const [found] = offered(['fovea ']);
    expect([...found].sort()).toEqual(commands.filter((name) => name !== 'fovea').sort());
  });

  it('continues behind a colon and an equals sign, where bash begins a new word', async () => {
    await scriptFor('bash');
    const lines = ['fovea train --data folder:pho', 'fovea train --data=fold', 'fovea train --data=folder:pho'];
    expect(offered(lines)).toEqual([['photos'], ['folder:'], ['photos']]);
  });

  it('offers nothing, without an error, where there is nothing', async () => {
    await scriptFor('bash');
    const lines = [
      'fovea train --lr ',
      'fovea nonsense x',
      'fovea train lenet --nonsense=',
      "fovea train 'it",
      'fovea',
    ];
    expect(
      offered([...lines, 'fovea train \\'])
        .flat()
        .join(''),
    ).toBe('');
  });
});

itWith('fish', 'completion fish offers commands, options and values', async () => {
  await scriptFor('fish');
  const ask = cases.map(([line]) => `echo (complete -C '${line}' | cut -f1)`);
  const out = shell('fish', ['source ./fovea.fish', ...ask].join('\n'), ['--no-config']);
  const answers = out.split('\n');
  for (const [i, one] of cases.entries()) {
    const found = answers[i].split(' ').map((word) => word.replace(/\/$/, ''));
    expectWords(one, found);
  }
});

itWith('zsh', 'completion zsh offers commands, options and values', async () => {
  await scriptFor('zsh');
  // The functions of zsh's completion system work in an interactive shell alone.
  const stand = 'compdef() { }; compset() { }; _files() { print -n " photos"; }; compadd() { print -n -- " $*"; }';
  const ask = 'ask() { words=("$@"); CURRENT=$#words; _fovea; print; }';
  const calls = cases.map(
    ([line]) =>
      `ask ${line
        .split(' ')
        .map((word) => `'${word}'`)
        .join(' ')}`,
  );
  const out = shell('zsh', [stand, 'source ./fovea.zsh', ask, ...calls].join('\n'), ['-f']);
  const answers = out.split('\n');
  // Zsh itself leaves out the words that do not fit.
  cases.forEach(([line, ...expected], i) => {
    expectWords([line, ...expected.filter((word) => !word.startsWith('!'))], answers[i].split(' '));
  });
});

it('refuses other shells', async () => {
  expect(await fovea('completion', 'tcsh')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('bash, zsh, fish'),
  });
  expect(await fovea('completion')).toMatchObject({ code: 2, out: '' });
});
