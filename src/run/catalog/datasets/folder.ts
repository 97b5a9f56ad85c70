import { join } from 'node:path';
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
    return openListed(listedOf(await readLayout(root, { onProgress, onBadImage: imageLoading?.onBadImage })), options);
  },
  readImage: readPhotograph,
  picture: photographOf,
};

function listedOf(layout: FolderLayout): Listed {
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
    })),
    classNames,
    source: (role) => `folder ${role === null || layout.isInverted ? root : join(root, parts[role] ?? '')}`,
    origin: (role) => parts[role] ?? '',
    passedOver,
    notes,
    advice: (className) => layout.deeper(className)?.text ?? null,
  };
}
