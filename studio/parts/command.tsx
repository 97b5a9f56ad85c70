import { useState } from 'preact/hooks';
import { t } from '../texts/index.js';

/** Quotes a word for a shell. */
function quoted(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command line that does the same as the page. */
export function CommandLine({ words }: { readonly words: readonly string[] }) {
  const line = words.map(quoted).join(' ');
  const [copied, setCopied] = useState('');
  const copy = () => {
    navigator.clipboard.writeText(line).then(
      () => setCopied(line),
      () => {},
    );
  };
  return (
    <div class="command">
      <span class="hint">{t('shell.command')}</span>
      <code>{line}</code>
      <button type="button" onClick={copy}>
        {copied === line ? t('shell.copied') : t('shell.copy')}
      </button>
    </div>
  );
}
