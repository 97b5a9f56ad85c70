import type { RunList } from '../../src/studio/api.js';
import { go } from '../route.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { Loading, Problem } from './notice.js';

/** Chooses one of the trained runs for a page; the address keeps the choice. */
export function RunChoice({ page, run }: { readonly page: string; readonly run: string | undefined }) {
  const { data, error, reload } = useServer<RunList>(apiAddress('runs'));
  if (error !== null) return <Problem error={error} retry={reload} />;
  if (data === null) return <Loading />;
  const names = data.runs.filter(({ epochs }) => epochs > 0).map(({ name }) => name);
  if (names.length === 0) return <p class="empty">{t('runs.none')}</p>;
  return (
    <p class="actions">
      <label>
        {t('runs.run')}{' '}
        <select value={run ?? ''} onChange={({ currentTarget }) => go(page, { run: currentTarget.value || null })}>
          <option value="">{t('features.choose')}</option>
          {names.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </p>
  );
}
