/**
 * Kinds of the objects that `--json` prints, with their versions. New fields may come within a version. It
 * increases when a field is removed, renamed, or changes its meaning.
 */
export const jsonKinds = {
  'train.start': 1,
  'train.batch': 1,
  'train.epoch': 1,
  'train.end': 1,
  'train.fold': 1,
  'train.folds': 1,
  'train.dry-run': 1,
  'train.configuration': 1,
  'eval.run': 1,
  'eval.weights': 1,
  'predict.picture': 1,
  'predict.unreadable': 1,
  'runs.run': 1,
  'runs.broken': 1,
  'runs.show': 1,
  'runs.compare': 1,
  'explain.picture': 1,
  'explain.unreadable': 1,
  'features.filters': 1,
  'features.layer': 1,
  'features.map': 1,
  'features.picture': 1,
  'features.unreadable': 1,
  'compare.result': 1,
  'ensemble.result': 1,
  'dossier.result': 1,
  'sweep.start': 1,
  'sweep.begin': 1,
  'sweep.end': 1,
  'sweep.summary': 1,
  'lr-find.result': 1,
  'models.model': 1,
  'summary.network': 1,
  'bench.result': 1,
  'convert.result': 1,
  'slim.result': 1,
  'setup.result': 1,
  'doctor.result': 1,
  'data.check': 1,
  'data.show': 1,
  'data.palm.show': 1,
  'data.palm.import': 1,
  'data.palm.synth': 1,
} as const;

export type JsonKind = keyof typeof jsonKinds;

/** `train.epoch/1`: the field `schema` of an object. */
export function schemaName(kind: JsonKind): string {
  return `${kind}/${jsonKinds[kind]}`;
}
