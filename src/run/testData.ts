import { InputError } from '../errors.js';
import { option } from '../text/option.js';
import { findData, namedDataset, type OpenedData, type OpenOptions } from './catalog/datasets.js';

/**
 * Data whose test part is in another place: the test part of `asked` if it has one, else all of its images.
 *
 * @param asked `folder:DIR` or `csv:FILE`
 * @throws {InputError} if the data have a test part of their own, or the other data are no photographs with
 * the same classes
 */
export async function withTestData(
  data: OpenedData,
  asked: string,
  { imageLoading, onProgress }: Pick<OpenOptions, 'imageLoading' | 'onProgress'>,
): Promise<OpenedData> {
  const { name, location } = findData(asked);
  const refuse = (expected: string, got: string) =>
    new InputError(`[data] test images: expected ${expected}, got ${got}; leave out ${option('testData')}`);
  if (data.hasTest) throw refuse(`none in ${asked}`, 'data with a test part of their own');
  if (data.images === null) throw refuse('them with photographs only', data.title);
  if (name !== 'folder' && name !== 'csv') throw refuse('folder:DIR or csv:FILE', asked);
  const other = await namedDataset(name).open({
    location,
    images: data.images,
    holdOut: null,
    classNames: data.classNames,
    // Another table may have other columns.
    imageLoading: { ...imageLoading, table: undefined },
    onProgress,
  });
  const part = other.parts.some(({ role }) => role === 'test') ? 'test' : 'all';
  return {
    ...data,
    hasTest: true,
    passedOver: [...data.passedOver, ...other.passedOver],
    notes: [...data.notes, ...other.notes],
    open: (split) => (split === 'test' ? other.open(part) : data.open(split)),
  };
}
