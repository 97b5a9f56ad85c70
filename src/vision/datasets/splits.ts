/**
 * The parts of a data set: images for training, images for choosing among epochs, and images for the final
 * evaluation, which choose nothing.
 */
export type SplitRole = 'train' | 'validation' | 'test';

/** The usual words for each part, in English and Chinese, for names of folders and values in tables alike. */
const words: Readonly<Record<SplitRole, readonly string[]>> = {
  train: ['train', 'training', 'trn', '训练'],
  validation: ['validation', 'validate', 'valid', 'val', 'vld', 'dev', 'development', 'eval', 'evaluation', '验证'],
  test: ['test', 'testing', 'tst', 'holdout', 'heldout', '测试'],
};
const roles = new Map(Object.entries(words).flatMap(([role, names]) => names.map((name) => [name, role as SplitRole])));
/** Words that often accompany the usual name: `train_set`, `images-val`, `Validation Data`. */
const additions =
  /^(images?|imgs?|data|set)|(images?|imgs?|pictures?|photos?|data|dataset|set|split|samples|集|集合|数据|数据集|图片|样本)$/;

/**
 * The part that a usual name stands for, in any case and form: `Train`, `training_set`, `VAL`, `val2017`,
 * `test-data`. Null for other names.
 */
export function splitRole(name: string): SplitRole | null {
  const letters = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_.\-()[\]]+|^\d+|\d+$/g, '');
  const find = (text: string): SplitRole | null => {
    const role = roles.get(text);
    if (role !== undefined) return role;
    const shorter = text.replace(additions, '');
    return shorter === text ? null : find(shorter);
  };
  return find(letters);
}

/** The usual names, for messages. */
export const usualSplitNames = 'train, validation (or val, dev) or test';
