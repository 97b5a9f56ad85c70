import { Fragment } from 'preact';
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
      <code>
        {words.map((word, i) => (
          // Lines break between words, not behind the hyphens of options.
          <Fragment key={i}>
            {i > 0 && ' '}
            <span>{quoted(word)}</span>
          </Fragment>
        ))}
      </code>
      <button type="button" onClick={copy}>
        {copied === line ? t('shell.copied') : t('shell.copy')}
      </button>
    </div>
  );
}
