/**
 * Finds the habits of style that CONTRIBUTING.md names ("Words") in comments, messages, titles of tests and docs. The words come
 * from its glossary. Arguments name files and folders to look at; without one it looks at the whole repository.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const maxWidth = 110;
const generated = /^docs\/measured\/|^tests\/goldens\/data\/|^bench\/peers\/package|^dist\//;

/** Right uses of a word in the glossary's last column. */
const allowedPhrases = [
  /\bdrawn by a program\b/gi,
  /\bfig(ure|\.) \d+/gi,
  /\bfigures? (of|in) the (paper|article)\b/gi,
  /@param [\w.]+/g,
  // HTML and CSS.
  /<\/?fig(ure|caption)\b[^>]*>|(?<=^|[.,]\w* |, )figure(?=[ :,])(?=[^\n]*[{,])/gm,
  /\b(draw|draws|drew|drawn|drawing|drawings) (as |on |over |into |in )?(an? |the |one |two |its )?(black |grey |small |synthetic )?(image|picture|line|curve|axis|axes|plot|digit|letter|text|arrow|eye|fundus|circle|point|bar|grid|label)s?\b/gi,
];
/** Files about images and plots, which are drawn. */
const draws = /checkWords|palm|synth|lettering|plots|curves|contactSheet|pictures|style|digit|fundus/i;

const people =
  'users?|people|persons?|someone|anyone|everyone|readers?|authors?|contributors?|newcomers?|students?|patients?|researchers?|engineers?|programmers?|those|you|nobody';

function glossary() {
  const rows = readFileSync('CONTRIBUTING.md', 'utf8').split('## Words')[1].split('\n## ')[0].split('\n');
  const cells = rows.filter((row) => row.startsWith('| ')).map((row) => row.split('|').map((cell) => cell.trim()));
  return cells.flatMap(([, term, , old = '']) =>
    [...old.matchAll(/`([^`]+)`/g)].map(([, word]) => ({
      expression: new RegExp(`\\b${word.replaceAll('*', '\\w*').replaceAll(' ', '\\s+')}\\b`, 'gi'),
      advice: `glossary: ${term.replaceAll('**', '')}`,
      isDrawing: /^dr[ae]w/.test(word),
    })),
  );
}

const sentence = String.raw`(?:^\s*|[.!?:|]\s+|\n[ \t]*\n\s*|\n\s*(?:[-*]|\d+\.|#+)\s+|@\w+\s+(?:\w+\s+-\s+)?)`;
const habits = [
  {
    expression: new RegExp(`${sentence}((?:What|Whatever|Whoever|Who|Whose)\\b[^.?!|]*[.?!]?)`, 'g'),
    advice: 'name the thing instead of a clause with `What` or `Who`',
    isRight: (text) => text.endsWith('?'),
  },
  {
    expression: new RegExp(`${sentence}(Of\\b[^.?!|]*[.?!]?)`, 'g'),
    advice: 'begin with the subject, not with `Of`',
  },
  {
    expression: new RegExp(`(?<!\\b(?:${people})[*_]*,?\\s+)\\b(who|whoever|whom)\\b`, 'gi'),
    advice: '`who` is for people: name the step, caller or value',
    isRight: (text) => text === 'WHO',
  },
];

const isDocumentation = ({ kind }) => kind >= ts.SyntaxKind.FirstJSDocNode && kind <= ts.SyntaxKind.LastJSDocNode;

const blank = (text) => text.replace(/[^\n]/g, ' ');

/** Comments and texts of a TypeScript or JavaScript file: each as long as in the file, with markers and code blanked. */
function* textsOfProgram(name, source) {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true);
  const isTest = name.startsWith('tests/');
  const seen = new Set();
  const comments = [];
  const texts = [];
  const isTitle = ({ parent }) =>
    ts.isCallExpression(parent) && /^(test|it|describe)/.test(parent.expression.getText()) && parent.arguments[0];
  const visit = (node) => {
    const isText =
      ts.isStringLiteral(node) || ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node);
    if (isText && (!isTest || isTitle(node) === node)) texts.push(node);
    if (ts.isTemplateExpression(node)) for (const span of node.templateSpans) visit(span.expression);
    const children = node.getChildren(file);
    if (children.length > 0 && !ts.isTemplateExpression(node)) {
      for (const child of children) if (!isDocumentation(child)) visit(child);
      return;
    }
    for (const ranges of [ts.getLeadingCommentRanges, ts.getTrailingCommentRanges])
      for (const range of ranges(source, node.pos) ?? []) {
        if (!seen.has(range.pos)) comments.push(range);
        seen.add(range.pos);
      }
  };
  visit(file);
  comments.sort((a, b) => a.pos - b.pos);
  for (let i = 0; i < comments.length; ) {
    const { pos, kind } = comments[i];
    let { end } = comments[i++];
    // Neighbouring lines of `//` are one text.
    while (
      kind === ts.SyntaxKind.SingleLineCommentTrivia &&
      i < comments.length &&
      /^\n[ \t]*$/.test(source.slice(end, comments[i]?.pos))
    )
      end = comments[i++].end;
    const text = source.slice(pos, end);
    yield { pos, isComment: true, text: text.replace(/^\/\*+|\*+\/$|^[ \t]*(\/\/|\*)|^#!.*/gm, blank) };
  }
  for (const node of texts) {
    let text = source.slice(node.getStart(file), node.end);
    if (ts.isTemplateExpression(node))
      for (const { expression } of [...node.templateSpans].reverse()) {
        const begin = expression.pos - node.getStart(file) - 2;
        const end = expression.end - node.getStart(file) + 1;
        text = text.slice(0, begin) + text.slice(begin, end).replace(/[^\n]/g, '_') + text.slice(end);
      }
    if (!/\w\s+\w[\s\S]*\s/.test(text)) continue;
    yield { pos: node.getStart(file), text: text.replace(/^['"`]|['"`]$/g, ' ').replace(/\\n/g, '  ') };
  }
}

function* textsOfScript(source) {
  for (const { 0: text, index } of source.matchAll(/(?<=^|\s)#(?!!).*(?:\n[ \t]*#.*)*|"""[\s\S]*?"""/g))
    yield { pos: index, isComment: true, text: text.replace(/"""|^[ \t]*#/gm, blank) };
}

function* textsOfPage(source) {
  yield { pos: 0, text: source.replace(/^```[\s\S]*?^```/gm, blank).replace(/\]\([^)]*\)|^ {4,}\S.*/gm, blank) };
}

function textsOf(name, source) {
  if (name.endsWith('.md')) return textsOfPage(source);
  return /\.(py|yaml)$/.test(name) ? textsOfScript(source) : textsOfProgram(name, source);
}

function findingsOf(name, words) {
  const source = readFileSync(name, 'utf8');
  const findings = [];
  const add = (pos, advice, found) =>
    findings.push(`${name}:${source.slice(0, pos).split('\n').length}: ${found}${advice}`);
  for (const { pos, isComment, text } of textsOf(name, source)) {
    let prose = text.replace(/`[^`]*`/g, (code) => code.replace(/[^\n]/g, '_'));
    for (const phrase of allowedPhrases) prose = prose.replace(phrase, blank);
    for (const { expression, advice, isRight } of habits)
      for (const match of prose.matchAll(expression)) {
        if (isRight?.(match[1])) continue;
        const begin = match.index + match[0].length - match[1].length;
        add(pos + begin, advice, `"${match[1].replace(/\s+/g, ' ').slice(0, 40)}": `);
      }
    for (const { expression, advice, isDrawing } of words) {
      if (isDrawing && draws.test(name)) continue;
      for (const match of prose.matchAll(expression))
        add(pos + match.index, advice, `"${match[0].replace(/\s+/g, ' ')}": `);
    }
    if (!isComment || !name.startsWith('src/')) continue;
    let offset = pos;
    for (const line of text.split('\n')) {
      const begin = source.lastIndexOf('\n', offset - 1) + 1;
      offset += line.length;
      if (offset - begin > maxWidth) add(offset, `comment of ${offset - begin} columns: at most ${maxWidth}`, '');
      offset++;
    }
  }
  return findings;
}

/** Git's files; in a copy of the sources, or where git is not installed, all that `.gitignore` does not name. */
function namesOfFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const { status, stdout } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status === 0) return stdout.split('\n');
  const ignored = existsSync('.gitignore') ? readFileSync('.gitignore', 'utf8').split('\n').filter(Boolean) : [];
  const isIgnored = (path) => ignored.some((entry) => path.startsWith(entry) || path.includes(`/${entry}`));
  const below = (folder) =>
    readdirSync(folder || '.', { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`;
      if (path === '.git/' || isIgnored(path)) return [];
      return entry.isDirectory() ? below(path) : [path];
    });
  return below('');
}

function filesOfRepository() {
  const names = namesOfFiles();
  const isText = (name) => /\.(ts|mjs|cjs|py|yaml|md)$/.test(name) && !name.endsWith('.zh.md');
  return names.sort().filter((name) => isText(name) && !generated.test(name) && existsSync(name));
}

const wanted = process.argv.slice(2).map((path) => path.replace(/\/$/, ''));
const isWanted = (name) => wanted.length === 0 || wanted.some((path) => name === path || name.startsWith(`${path}/`));
const words = glossary();
const findings = filesOfRepository()
  .filter(isWanted)
  .flatMap((name) => findingsOf(name, words));
for (const finding of findings) console.log(finding);
if (findings.length > 0) {
  console.error(`words: ${findings.length} findings; "Words" in CONTRIBUTING.md explains them`);
  process.exitCode = 1;
}
