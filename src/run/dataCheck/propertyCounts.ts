import { formatCount } from '../../text/numbers.js';
import type { CheckedPicture } from './picture.js';

/** How many pictures have each size, format or camera. */
export interface PropertyCounts {
  readonly property: 'size' | 'format' | 'camera';
  /** Most frequent first. */
  readonly values: readonly {
    readonly value: string;
    readonly pictures: number;
    /** Pictures of each class. */
    readonly counts: readonly number[];
  }[];
}

/** Counts the readable pictures by size, format and camera. A property that no picture has is left out. */
export function propertyCounts(pictures: readonly CheckedPicture[], classes: number): PropertyCounts[] {
  const found = pictures.flatMap(({ facts, label }) => (facts === null ? [] : [{ facts, label }]));
  const hasCamera = found.some(({ facts }) => facts.camera !== null);
  const readers: Readonly<Record<PropertyCounts['property'], (facts: (typeof found)[0]['facts']) => string | null>> = {
    size: ({ width, height }) => `${width}×${height}`,
    format: ({ format }) => format,
    camera: ({ camera }) => camera ?? (hasCamera ? 'not recorded' : null),
  };
  return (Object.keys(readers) as PropertyCounts['property'][]).flatMap((property): PropertyCounts[] => {
    const counts = new Map<string, number[]>();
    for (const { facts, label } of found) {
      const value = readers[property](facts);
      if (value === null) continue;
      const own = counts.get(value) ?? new Array<number>(classes).fill(0);
      own[label]++;
      counts.set(value, own);
    }
    if (counts.size === 0) return [];
    const values = [...counts].map(([value, own]) => {
      return { value, pictures: own.reduce((sum, count) => sum + count, 0), counts: own };
    });
    values.sort((a, b) => b.pictures - a.pictures || (a.value < b.value ? -1 : 1));
    return [{ property, values }];
  });
}

/** Values of a property in a table, and the most classes that get columns. */
const [mostValues, mostClasses] = [8, 10];

/** The counts as a table for people. */
export function propertyTable({
  properties,
  classNames,
}: {
  readonly properties: readonly PropertyCounts[];
  readonly classNames: readonly string[];
}): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const perClass = classNames.length <= mostClasses;
  const rows = properties.flatMap(({ property, values }) => {
    const shown = values.slice(0, mostValues).map(({ value, pictures, counts }) => {
      return [property, value, formatCount(pictures), ...(perClass ? counts.map(formatCount) : [])];
    });
    const others = values.slice(mostValues);
    if (others.length === 0) return shown;
    const sum = (of: (value: (typeof others)[0]) => number) =>
      formatCount(others.reduce((total, value) => total + of(value), 0));
    const perOther = perClass ? classNames.map((_, c) => sum(({ counts }) => counts[c])) : [];
    return [...shown, [property, `${others.length} others`, sum(({ pictures }) => pictures), ...perOther]];
  });
  return { header: ['property', 'value', 'pictures', ...(perClass ? classNames : [])], rows };
}
