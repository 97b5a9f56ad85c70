import { join } from 'node:path';
import { InputError, messageOf } from '../../../errors.js';
import { type FolderLayout, readLayout } from '../../../vision/datasets/layout.js';
import { requireLocation } from './location.js';
import type { NamedDataset } from './namedDataset.js';
import { type Listed, openListed } from './parts.js';
import { photographOf, readPhotograph } from './photographs.js';

/**
 * `DIR/CLASS/PICTURE`, of which some are held out for validation; or `DIR/train/CLASS/PICTURE`, `DIR/val/…`
 * and `DIR/test/…`, by any usual names: see {@link readLayout}.
 */
export const folder: NamedDataset = {
  title: 'folder of pictures',
  location: 'DIR',
  evalName: 'validation',
  isPhotographs: true,
  async open(options) {
    const { location: root = '', onProgress, imageLoading } = options;
    await requireLocation('folder', root);
    const layout = await readLayout(root, { onProgress, onBadImage: imageLoading?.onBadImage });
    return openListed(listedOf(layout, groupBy(options.group)), options);
  },
  readImage: readPhotograph,
  picture: photographOf,
};

/**
 * Finds the group of a picture by its path below the folder: the first pair of parentheses of a regular
 * expression, or all that it matches.
 *
 * @throws {InputError} for an invalid expression, and for a path that it does not match
 */
function groupBy(pattern: string | undefined): (path: string) => string | undefined {
  if (pattern === undefined) return () => undefined;
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch (error) {
    throw new InputError(`[folder] group: expected a regular expression, got ${messageOf(error)}`, { cause: error });
  }
  return (path) => {
    const [whole, part] = expression.exec(path) ?? [];
    const group = part ?? whole ?? '';
    if (group !== '') return group;
    throw new InputError(
      `[folder] group: expected that ${pattern} finds a group in each path, got none in ${path}; change the expression`,
    );
  };
}

function listedOf(layout: FolderLayout, groupOf: (path: string) => string | undefined): Listed {
  const { root, pictures, parts, passedOver, notes } = layout;
  const classNames = [...new Set(pictures.map(({ className }) => className))].sort();
  const labels = new Map(classNames.map((name, label) => [name, label]));
  return {
    where: `folder ${root}`,
    root,
    files: pictures.map(({ path, className, role }) => ({
      path: join(root, path),
      label: labels.get(className) as number,
      role,
      group: groupOf(path),
    })),
    classNames,
    source: (role) => `folder ${role === null || layout.isInverted ? root : join(root, parts[role] ?? '')}`,
    origin: (role) => parts[role] ?? '',
    passedOver,
    notes,
    advice: (className) => layout.deeper(className)?.text ?? null,
  };
}
