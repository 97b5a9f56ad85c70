import { readStart } from '../../../io/files/input.js';
import { option } from '../../../text/option.js';
import { eachOf } from '../../eachOf.js';
import { PictureFile } from '../../images/decode.js';
import type { Preprocessing } from '../../images/preprocess.js';

/** The changes, beyond resizing, that the pictures of a data set need before a network sees them. */
export interface PictureSurvey {
  readonly pictures: number;
  /** The number of pictures that need each change. */
  readonly changes: ReadonlyMap<string, number>;
  /**
   * The number of pictures whose proportions change when they are squashed, and the size of the one that
   * changes most.
   */
  readonly reshaped: number;
  readonly farthest: { readonly height: number; readonly width: number } | null;
}

/** Smaller changes of proportions are not reported. */
const noticeable = 1.1;
/** Number of pictures that are surveyed at the same time. */
const atOnce = 8;
/** The header of a JPEG is enough, and nearly always within these bytes. */
const headerBytes = 2 ** 17;

/**
 * Reads the headers of pictures, and all values where these do not have 8 bits. Pictures that cannot be read
 * are skipped.
 */
export async function surveyPictures(
  paths: readonly string[],
  { height, width }: Preprocessing,
  onPicture?: (done: number) => void,
): Promise<PictureSurvey> {
  const found = new Array<Looked | null>(paths.length).fill(null);
  let done = 0;
  await eachOf(paths, atOnce, async (path, i) => {
    found[i] = await look(path).catch(() => null);
    onPicture?.(++done);
  });
  const changes = new Map<string, number>();
  let reshaped = 0;
  let farthest: Looked | null = null;
  let most = noticeable;
  for (const picture of found) {
    if (picture === null) continue;
    for (const change of picture.changes) changes.set(change, (changes.get(change) ?? 0) + 1);
    const ratio = (picture.width * height) / (picture.height * width);
    const stretch = Math.max(ratio, 1 / ratio);
    if (stretch > noticeable) reshaped++;
    if (stretch > most) [most, farthest] = [stretch, picture];
  }
  return { pictures: paths.length, changes, reshaped, farthest };
}

interface Looked {
  readonly height: number;
  readonly width: number;
  readonly changes: readonly string[];
}

async function look(path: string): Promise<Looked> {
  const picture = await opened(path);
  const { height, width } = picture;
  return { height, width, changes: await picture.changes().catch(() => []) };
}

/** Notes about pictures before they are used: a line about their values, and one about their proportions. */
export function surveyNotes(surveys: readonly PictureSurvey[], { height, width, fit }: Preprocessing): string[] {
  const pictures = surveys.reduce((sum, survey) => sum + survey.pictures, 0);
  const counts = new Map<string, number>();
  for (const { changes } of surveys) {
    for (const [change, count] of changes) counts.set(change, (counts.get(change) ?? 0) + count);
  }
  const notes: string[] = [];
  if (counts.size > 0) {
    const list = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([change, count]) => `${change} (${count})`);
    notes.push(`pictures are made 8 bits of red, green and blue: ${list.join(', ')} of ${pictures}`);
    notes.push(...depthNotes([...counts.keys()]));
  }
  const reshaped = surveys.reduce((sum, survey) => sum + survey.reshaped, 0);
  const example = surveys.find(({ farthest }) => farthest !== null)?.farthest;
  if (fit === 'squash' && example != null) {
    notes.push(
      `${reshaped} of ${pictures} pictures are squashed, as from ${example.width}×${example.height} to ` +
        `${width}×${height}, so that circles become ellipses; ${option('fit', 'crop')} or ${option('fit', 'pad')} keeps proportions`,
    );
  }
  return notes;
}

/** Pictures of one data set whose largest values led to different scales are not comparable. */
function depthNotes(changes: readonly string[]): string[] {
  const groups = new Map<string, string[]>();
  for (const change of changes) {
    // `12 bits in 16 made 8` and `16 bits made 8` have values of one type.
    const [, name, bits, size = bits] = /^((\d+) bits(?: in (\d+))?|floats .*) made 8$/.exec(change) ?? [];
    if (name === undefined) continue;
    const type = size ?? 'float';
    groups.set(type, [...(groups.get(type) ?? []), name]);
  }
  return [...groups.values()]
    .filter(({ length }) => length > 1)
    .map(
      (names) =>
        `the largest value of each picture decided between ${names.sort().join(' and ')}: a darker picture of the same ` +
        'kind may become brighter; save all of them alike, best with 8 bits',
    );
}

async function opened(path: string): Promise<PictureFile> {
  const start = await readStart(path, headerBytes);
  const isJpeg = start[0] === 0xff && start[1] === 0xd8;
  const picture = isJpeg ? await PictureFile.open(start, path).catch(() => null) : null;
  return picture ?? (await PictureFile.open(path));
}
