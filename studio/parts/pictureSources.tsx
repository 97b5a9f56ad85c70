import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../texts/index.js';

/** Gets each picture with its name. */
export type Ask = (name: string, blob: Blob) => Promise<void>;

/** Takes pictures that are dropped or chosen. */
export function Files({ ask }: { readonly ask: Ask }) {
  const [over, setOver] = useState(false);
  const take = async (files: FileList | null | undefined) => {
    for (const file of files ?? []) await ask(file.name, file);
  };
  return (
    <section
      class={over ? 'card over' : 'card'}
      aria-label={t('try.files')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take(event.dataTransfer?.files);
      }}
    >
      <h2>{t('try.files')}</h2>
      <p class="hint">{t('try.drop')}</p>
      <label>
        {t('try.choose')}{' '}
        <input type="file" accept="image/*" multiple onChange={({ currentTarget }) => void take(currentTarget.files)} />
      </label>
    </section>
  );
}

/** Takes pictures from a camera. */
export function Camera({ ask }: { readonly ask: Ask }) {
  const video = useRef<HTMLVideoElement>(null);
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [refused, setRefused] = useState('');
  useEffect(() => {
    if (video.current !== null) video.current.srcObject = stream;
    return () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
  }, [stream]);
  const open = async () => {
    try {
      setStream(await navigator.mediaDevices.getUserMedia({ video: true }));
      setRefused('');
    } catch (error) {
      setRefused(String(error));
    }
  };
  const take = () => {
    if (video.current === null) return;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.current.videoWidth, video.current.videoHeight];
    canvas.getContext('2d')?.drawImage(video.current, 0, 0);
    canvas.toBlob((blob) => blob !== null && void ask(t('try.photo'), blob), 'image/jpeg', 0.95);
  };
  return (
    <section class="card" aria-label={t('try.camera')}>
      <h2>{t('try.camera')}</h2>
      <p class="hint">{t('try.cameraHint')}</p>
      {stream !== null && <video ref={video} autoPlay playsInline muted />}
      <p class="actions">
        {stream === null ? (
          <button type="button" onClick={() => void open()}>
            {t('try.open')}
          </button>
        ) : (
          <>
            <button type="button" class="primary" onClick={take}>
              {t('try.take')}
            </button>
            <button type="button" onClick={() => setStream(null)}>
              {t('try.close')}
            </button>
          </>
        )}
      </p>
      {refused !== '' && <p class="hint">{t('try.refused', { reason: refused })}</p>}
    </section>
  );
}

/** The bytes of a file, as JSON carries them. */
export async function base64Of(blob: Blob): Promise<string> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
