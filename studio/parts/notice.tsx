import type { ServerError } from '../server.js';
import { texts } from '../texts/all.js';
import { type TextKey, t } from '../texts/index.js';

/** Says why something could not be read or done. */
export function Problem({ error, retry }: { readonly error: ServerError; readonly retry?: () => void }) {
  const key = `error.${error.code}`;
  const known = key in texts ? t(key as TextKey) : null;
  return (
    <div class="problem" role="alert">
      {known !== null && <p>{known}</p>}
      {!['token', 'away'].includes(error.code) && <p class={known === null ? '' : 'hint'}>{error.message}</p>}
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          {t('shell.again')}
        </button>
      )}
    </div>
  );
}

/** Shown until the first answer arrives. */
export function Loading() {
  return (
    <p class="hint" role="status">
      {t('shell.loading')}
    </p>
  );
}
