import type { ArchiveLayout } from '../../src/studio/api.js';
import { apiAddress, useServer } from '../server.js';
import { t } from '../texts/index.js';
import { CommandLine } from './command.js';
import { count } from './format.js';
import { Loading, Problem } from './notice.js';
import { Scroll } from './scroll.js';

/** The contents of an archive, and the command that makes data of it. */
export function ArchiveView({ name }: { readonly name: string }) {
  const { data, error, reload } = useServer<ArchiveLayout>(apiAddress('data/archive', { name }));
  if (error !== null) return <Problem error={error} retry={reload} />;
  if (data === null) return <Loading />;
  const { kind, command, folders, others } = data;
  return (
    <section>
      <h2>{data.name}</h2>
      <p class="note">
        {kind === 'palm'
          ? t('data.archivePalm', { data: data.data })
          : t('data.archiveUnpack', { data: data.data.replace(/\/.*/, '') })}
      </p>
      {command !== null && <CommandLine words={command} />}
      {kind !== 'other' && (
        <>
          <h3>{t('data.archiveContents')}</h3>
          {folders.length > 0 && (
            <Scroll label={t('data.archiveContents')}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('data.folder')}</th>
                    <th scope="col" class="number">
                      {t('data.sum')}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {folders.map(({ folder, pictures }) => (
                    <tr key={folder}>
                      <th scope="row">{folder}</th>
                      <td class="number">{count(pictures)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
          <p class="hint">{t('data.archiveOthers', { n: count(others) })}</p>
        </>
      )}
    </section>
  );
}
