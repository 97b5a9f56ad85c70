import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../io/files/atomic.js';
import { toMarkdown, toPage } from '../../report/document.js';
import { makeDossier } from '../../run/dossier/dossier.js';
import { formatCount } from '../../text/numbers.js';
import { newFolder } from '../newOutput.js';
import { applyEngine, type EngineOptions } from '../options.js';
import { print, printFacts, printJson, type Terminal } from '../terminal.js';

interface DossierCommandOptions extends EngineOptions {
  readonly out?: string;
  readonly prevalence?: number;
  readonly table?: string;
  readonly subgroups?: string;
  readonly external?: string;
  readonly robustness?: boolean;
  readonly json?: boolean;
}

/** Writes the screening dossier of a run, as Markdown and HTML. */
export async function dossier(path: string, options: DossierCommandOptions, terminal: Terminal): Promise<number> {
  const { out = 'dossier', json = false, subgroups, prevalence, table, external, robustness } = options;
  await newFolder(out, 'dossier', '--out');
  applyEngine(options);
  const made = await makeDossier(path, {
    prevalence,
    table,
    external,
    robustness,
    subgroups: subgroups?.split(',').map((name) => name.trim()),
    onProgress: (name) => void terminal.stderr.write(`robustness: ${name}\n`),
  });
  await mkdir(out, { recursive: true });
  const [markdown, page] = ['dossier.md', 'dossier.html'].map((name) => join(out, name));
  await writeFileAtomic(markdown, toMarkdown(made.blocks));
  await writeFileAtomic(page, toPage(made.title, made.blocks));
  const count = (status: string) => made.items.filter((item) => item.status === status).length;
  if (json) {
    printJson(terminal, 'dossier.result', { run: path, markdown, page, items: made.items });
    return 0;
  }
  print(terminal, made.title);
  printFacts(terminal, [
    ['answered by the run', `${formatCount(count('answered'))} topics of the reporting guidelines`],
    ['missing in the run', formatCount(count('missing'))],
    ['for the authors', formatCount(count('open'))],
    ['files', `${markdown}, ${page}`],
  ]);
  return 0;
}
