import { t } from '../texts/index.js';

interface Point {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

const side = 560;
const margin = 14;

/** The colour of a class. */
export function classColour(label: number, classes: number): string {
  return `hsl(${Math.round((360 * label) / classes)}, 75%, ${label % 2 === 0 ? 42 : 58}%)`;
}

/** Points in the colours of their classes; a click chooses the nearest one. */
export function Scatter({
  points,
  classes,
  chosen,
  choose,
}: {
  readonly points: readonly Point[];
  readonly classes: number;
  readonly chosen: number;
  readonly choose: (index: number) => void;
}) {
  const middleOf = (values: readonly number[]) => (Math.min(...values) + Math.max(...values)) / 2;
  const rangeOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const scale = (side - 2 * margin) / (Math.max(rangeOf(xs), rangeOf(ys)) || 1);
  const [middleX, middleY] = [middleOf(xs), middleOf(ys)];
  const placed = points.map(({ x, y }) => ({
    x: side / 2 + scale * (x - middleX),
    y: side / 2 - scale * (y - middleY),
  }));
  const onClick = (event: MouseEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height];
    const distance = (i: number) => (placed[i].x - x) ** 2 + (placed[i].y - y) ** 2;
    choose(placed.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0));
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field of the number beside it does the same by keyboard
    <svg class="scatter" role="img" aria-label={t('features.map')} viewBox={`0 0 ${side} ${side}`} onClick={onClick}>
      {placed.map(({ x, y }, i) => (
        <circle
          key={i}
          cx={x}
          cy={y}
          r={i === chosen ? 8 : 3.5}
          class={i === chosen ? 'chosen' : ''}
          fill={classColour(points[i].label, classes)}
        />
      ))}
    </svg>
  );
}
