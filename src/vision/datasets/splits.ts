/**
 * The parts of a data set: images for training, images for choosing among epochs, and images for the final
 * evaluation, which choose nothing.
 */
export type SplitRole = 'train' | 'validation' | 'test';

/** The usual words for each part in some languages, for names of folders and values in tables alike. */
const words: Readonly<Record<SplitRole, readonly string[]>> = {
  train: [
    ...['train', 'training', 'trn', '训练', '訓練', '学習', '학습', '훈련', 'обучение'],
    ...['entrenamiento', 'entrainement', 'apprentissage', 'treino', 'treinamento', 'addestramento'],
  ],
  validation: [
    ...['validation', 'validate', 'valid', 'val', 'vld', 'dev', 'development', 'eval', 'evaluation'],
    ...['验证', '驗證', '検証', '검증', 'валидация', 'validacion', 'validacao', 'validierung', 'convalida'],
  ],
  test: [
    ...['test', 'testing', 'tst', 'holdout', 'heldout', '测试', '測試', 'テスト', '테스트', '시험', 'тест'],
    ...['prueba', 'pruebas', 'teste', 'testes'],
  ],
};
/** Names with other meanings too: they count only where all names beside them are names of parts. */
const abbreviations: Readonly<Record<SplitRole, readonly string[]>> = {
  train: ['tr', 'tra'],
  validation: ['va', 'vl'],
  test: ['te', 'ts', 'tes'],
};

function byWord(table: Readonly<Record<SplitRole, readonly string[]>>): ReadonlyMap<string, SplitRole> {
  return new Map(Object.entries(table).flatMap(([role, names]) => names.map((name) => [name, role as SplitRole])));
}

const [roles, shortRoles] = [byWord(words), byWord(abbreviations)];
/** Words that often accompany the usual name: `train_set`, `images-val`, `Validation Data`. */
const additions =
  /^(images?|imgs?|data|set|public|private)|(images?|imgs?|pictures?|photos?|data|dataset|set|split|samples|集|集合|数据|数据集|图片|样本)$/;

/**
 * The part that a usual name stands for, in any case and form: `Train`, `training_set`, `VAL`, `val2017`,
 * `test-data`, `validación`. Null for other names.
 */
export function splitRole(name: string): SplitRole | null {
  return roleIn(roles, name);
}

/**
 * The parts that names stand for if all of them are names of parts, abbreviations (`tr`, `te`) among them;
 * else those of the usual names.
 */
export function splitRoles(names: Iterable<string>): ReadonlyMap<string, SplitRole | null> {
  const all = [...new Set(names)];
  const wide = all.map((name) => splitRole(name) ?? roleIn(shortRoles, name));
  const areParts = all.length > 1 && wide.every((role) => role !== null);
  return new Map(all.map((name, i) => [name, areParts ? wide[i] : splitRole(name)]));
}

function roleIn(known: ReadonlyMap<string, SplitRole>, name: string): SplitRole | null {
  const letters = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_.\-()[\]]+|^\d+|\d+$/g, '');
  const find = (text: string): SplitRole | null => {
    const role = known.get(text);
    if (role !== undefined) return role;
    const shorter = text.replace(additions, '');
    return shorter === text ? null : find(shorter);
  };
  return find(letters);
}

/** The usual names, for messages. */
export const usualSplitNames = 'train, validation (or val, dev) or test';
