import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { DataPicture, DataPictures } from '../../src/studio/api.js';
import { apiAddress, read } from '../server.js';
import { t } from '../texts/index.js';

const [cellWidth, cellHeight, boxHeight] = [120, 148, 560];
/** Rows above and below the visible ones that are loaded too. */
const spareRows = 4;
/** Pictures whose names are asked for together. */
const chunk = 200;

interface GridProps {
  readonly data: string;
  readonly part: string | null;
  readonly label: number | null;
  readonly total: number;
  /** Called with the number of the picture among all of the data. */
  readonly onChoose: (picture: number) => void;
}

/** Any number of pictures, of which only those near the visible part exist in the page. */
export function PictureGrid({ data, part, label, total, onChoose }: GridProps) {
  const box = useRef<HTMLElement>(null);
  const [columns, setColumns] = useState(1);
  const [top, setTop] = useState(0);
  const chunks = useChunks({ data, part, label });
  useLayoutEffect(() => {
    const element = box.current as HTMLElement;
    const measure = () => setColumns(Math.max(1, Math.floor(element.clientWidth / cellWidth)));
    const observer = new ResizeObserver(measure);
    measure();
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [data, part, label]);
  const rows = Math.ceil(total / columns);
  const first = Math.max(0, Math.floor(top / cellHeight) - spareRows) * columns;
  const end = Math.min(total, (Math.ceil((top + boxHeight) / cellHeight) + spareRows) * columns);
  // Names of the next pictures in either direction come before their cells do.
  for (const place of [first - chunk, end + chunk]) if (place >= 0 && place < total) chunks.at(place);
  const shown = Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
  return (
    <section
      ref={box}
      class="grid"
      aria-label={t('data.pictures')}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards scroll only what has the focus
      tabIndex={0}
      style={{ height: `${Math.min(boxHeight, rows * cellHeight + 2)}px` }}
      onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}
    >
      <ul style={{ height: `${rows * cellHeight}px` }}>
        {shown.map((place) => (
          <li
            key={place}
            style={{
              left: `${(100 * (place % columns)) / columns}%`,
              top: `${cellHeight * Math.floor(place / columns)}px`,
              width: `${100 / columns}%`,
            }}
          >
            <Cell data={data} picture={chunks.at(place)} onChoose={onChoose} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface CellProps extends Pick<GridProps, 'data' | 'onChoose'> {
  readonly picture: DataPicture | null;
}

function Cell({ data, picture, onChoose }: CellProps) {
  const [failed, setFailed] = useState(false);
  if (picture === null) return <span class="blank" />;
  return (
    // Keyboards choose a picture by its number.
    <button type="button" tabIndex={-1} title={picture.name} onClick={() => onChoose(picture.picture)}>
      {failed ? (
        <span class="unreadable">{t('data.unreadable')}</span>
      ) : (
        <img
          src={apiAddress('data/picture', { data, picture: picture.picture })}
          alt={picture.name}
          decoding="async"
          onError={() => setFailed(true)}
        />
      )}
      <span class="name">{picture.label}</span>
    </button>
  );
}

/** Names of pictures, asked for in pieces as they come into view. */
function useChunks({ data, part, label }: Omit<GridProps, 'total' | 'onChoose'>) {
  const key = `${data}\n${part}\n${label}`;
  const state = useRef({ key, chunks: new Map<number, readonly DataPicture[] | null>() });
  const [, redraw] = useState(0);
  if (state.current.key !== key) state.current = { key, chunks: new Map() };
  const { chunks } = state.current;
  const at = (place: number): DataPicture | null => {
    const number = Math.floor(place / chunk);
    const known = chunks.get(number);
    if (known === undefined) {
      chunks.set(number, null);
      const address = apiAddress('data/pictures', { data, part, label, from: number * chunk, most: chunk });
      read<DataPictures>(address).then(
        ({ pictures }) => {
          chunks.set(number, pictures);
          redraw((n) => n + 1);
        },
        () => chunks.delete(number),
      );
    }
    return known?.[place % chunk] ?? null;
  };
  return { at };
}
