import type { Shape } from '../../graph/shape.js';
import type { TensorData } from '../../io/formats/tensorData.js';

const statistics = { running_mean: '_mean', running_var: '_variance' } as const;

/**
 * Entries of a file that PyTorch wrote (torchvision, timm) as layers here have them: running statistics are
 * `_mean` and `_variance`, and weights of linear layers are `[in, out]`. Other files are returned unchanged.
 *
 * @param shapes those of the network, by name
 */
export function fromTorch(
  entries: ReadonlyMap<string, TensorData>,
  shapes: ReadonlyMap<string, { readonly shape: Shape }>,
): ReadonlyMap<string, TensorData> {
  const names = [...entries.keys()];
  const isTorch =
    names.some((name) => name.endsWith('.running_mean')) ||
    [...entries].some(([name, entry]) => fitsTurnedOnly(entry.shape, shapes.get(name)?.shape));
  if (!isTorch) return entries;
  const converted = new Map<string, TensorData>();
  for (const [name, entry] of entries) {
    const end = name.lastIndexOf('.') + 1;
    const last = name.slice(end);
    if (last === 'num_batches_tracked') continue;
    const own = Object.hasOwn(statistics, last) ? statistics[last as keyof typeof statistics] : last;
    converted.set(name.slice(0, end) + own, last === 'weight' && entry.shape.length === 2 ? turned(entry) : entry);
  }
  return converted;
}

function fitsTurnedOnly(shape: Shape, expected: Shape | undefined): boolean {
  if (expected?.length !== 2 || shape.length !== 2) return false;
  const [rows, columns] = shape;
  return rows !== columns && rows === expected[1] && columns === expected[0];
}

/** Swaps rows and columns. */
function turned({ shape: [rows, columns], dtype, data }: TensorData): TensorData {
  const result = data.slice();
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j];
  }
  return { shape: [columns, rows], dtype, data: result };
}
