import { useState } from 'preact/hooks';
import type { AddedPicture } from '../../src/studio/api.js';
import { href } from '../route.js';
import { ServerError, send } from '../server.js';
import { t } from '../texts/index.js';
import { Problem } from './notice.js';
import { base64Of, Camera, Files } from './pictureSources.js';

/** A class of the user's own, from files or a camera. The pictures become files of a folder. */
export function MakeClass() {
  const [folder, setFolder] = useState('mine');
  const [name, setName] = useState('');
  const [added, setAdded] = useState<AddedPicture | null>(null);
  const [error, setError] = useState<ServerError | null>(null);
  const add = async (_: string, blob: Blob) => {
    setError(null);
    try {
      setAdded(await send<AddedPicture>('data/add', { folder, class: name, picture: await base64Of(blob) }));
    } catch (failure) {
      setError(failure instanceof ServerError ? failure : new ServerError('internal', String(failure)));
    }
  };
  return (
    <details>
      <summary>{t('data.make')}</summary>
      <p class="hint">{t('data.makeLead')}</p>
      <div class="fields">
        <label>
          {t('data.folder')}
          <input value={folder} onInput={({ currentTarget }) => setFolder(currentTarget.value)} />
        </label>
        <label>
          {t('data.className')}
          <input value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
      </div>
      {name !== '' && folder !== '' && (
        <div class="inputs">
          <Files ask={add} />
          <Camera ask={add} />
        </div>
      )}
      {error !== null && <Problem error={error} />}
      {added !== null && (
        <p role="status">
          {t('data.added', { n: added.inClass, class: name, data: added.data })}{' '}
          <a href={href('data', { data: added.data })}>{t('data.show')}</a>
        </p>
      )}
    </details>
  );
}
