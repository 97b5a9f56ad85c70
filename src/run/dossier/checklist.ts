import type { RunConfig } from '../config.js';
import { describeRecipe } from '../describe.js';

/** Facts about a run for the items of reporting guidelines. */
export interface ChecklistFacts {
  readonly config: RunConfig;
  readonly part: string;
  readonly images: number;
  readonly groups: number | null;
  readonly positive: string;
  readonly thresholdText: string;
  readonly calibrationText: string;
  readonly hasTest: boolean;
  readonly isExternal: boolean;
  readonly hasRobustness: boolean;
  readonly hasSubgroups: boolean;
  readonly prevalence: number | null;
}

/** An item of reporting guidelines. */
export interface ChecklistItem {
  /** `CLAIM 20; TRIPOD+AI 12a`. */
  readonly items: string;
  readonly topic: string;
  /** `answered` from the run, `open` for the authors to write, or `missing` in the run. */
  readonly status: 'answered' | 'open' | 'missing';
  /** The answer, the question to the authors, or the way to get the answer. */
  readonly text: string;
}

/** Items that no run can answer. */
const byAuthors: readonly (readonly [items: string, topic: string, question: string])[] = [
  ['CLAIM 1; STARD 1; TRIPOD+AI 1', 'title', 'name the use of artificial intelligence and the target condition'],
  ['CLAIM 2; STARD 2; TRIPOD+AI 2', 'abstract', 'write a structured summary'],
  [
    'CLAIM 3; STARD 3; TRIPOD+AI 3',
    'background',
    'describe the clinical need, the intended use and role, known inequalities',
  ],
  ['CLAIM 4, 6; STARD 4; TRIPOD+AI 4', 'objectives', 'state aims and hypotheses; development, evaluation or both'],
  ['CLAIM 5; STARD 5', 'design', 'prospective or retrospective'],
  [
    'CLAIM 8; STARD 6 to 9; TRIPOD+AI 5b, 6',
    'participants',
    'eligibility, setting, dates, consecutive or other sampling',
  ],
  ['CLAIM 12', 'privacy', 'describe how images were made anonymous'],
  [
    'CLAIM 14 to 16; STARD 10b, 11; TRIPOD+AI 8',
    'reference standard',
    'people that labelled the images, their training, rationale',
  ],
  ['CLAIM 17, 18', 'annotation', 'tools, and agreement within and between readers'],
  ['STARD 13', 'blinding', 'whether readers knew the other results'],
  ['STARD 21, 22', 'spectrum and time', 'severity, other conditions, time between image and reference standard'],
  [
    'CLAIM 34; STARD 20; TRIPOD+AI 20b',
    'characteristics',
    'age, sex and other characteristics in each part of the data',
  ],
  ['TRIPOD+AI 14', 'fairness', 'describe how fairness was considered; the subgroups below can support it'],
  ['TRIPOD+AI 17', 'ethics', 'approval and consent'],
  ['CLAIM 38; STARD 26; TRIPOD+AI 26', 'limitations', 'biases, uncertainty, generalizability'],
  [
    'CLAIM 39; STARD 27; TRIPOD+AI 25, 27',
    'implications',
    'interpretation, intended use, handling of poor images, next steps',
  ],
  ['CLAIM 40, 41; STARD 28, 29; TRIPOD+AI 18c, d', 'registration and protocol', 'numbers and places'],
  ['CLAIM 42; STARD 30; TRIPOD+AI 18a, b', 'funding and interests', 'sources and conflicts'],
  ['TRIPOD+AI 18e, f', 'sharing', 'availability of data, code and weights'],
  ['TRIPOD+AI 19', 'patients and public', 'their involvement, or none'],
  ['STARD-AI', 'use with people', 'how readers and the algorithm work together, and the people that see the result'],
];

/**
 * Items of CLAIM, STARD and TRIPOD+AI. Numbers are those of CLAIM 2020 (Mongan et al., Radiol Artif Intell
 * 2020;2:e200029), STARD 2015 (Bossuyt et al., BMJ 2015;351:h5527), which STARD-AI extends, and TRIPOD+AI
 * (Collins et al., BMJ 2024;385:e078378).
 */
export function checklist(facts: ChecklistFacts): ChecklistItem[] {
  const { config, part, images, groups, positive, hasTest, isExternal } = facts;
  const { data, recipe, model, engine, machine, seed } = config;
  const { techniques } = recipe;
  const answered = (items: string, topic: string, text: string): ChecklistItem => {
    return { items, topic, status: 'answered', text };
  };
  const missing = (items: string, topic: string, text: string): ChecklistItem => {
    return { items, topic, status: 'missing', text };
  };
  const sizes = [
    `${data.train.images} training`,
    `${data.eval.images} validation`,
    ...(data.test === undefined ? [] : [`${data.test.images} test`]),
  ].join(', ');
  const unreadable = [data.train, data.eval, ...(data.test === undefined ? [] : [data.test])].reduce(
    (sum, { unreadable: own }) => sum + own.length,
    0,
  );
  const preparation =
    data.images === null
      ? 'images of one size, used as they are'
      : `resized to ${data.images.width}×${data.images.height} (${data.images.fit}), ${data.images.order}`;
  const fixes = data.fixes;
  const settings = Object.entries(describeRecipe(recipe)).map(([name, value]) => `${name} ${value}`);
  return [
    answered(
      'CLAIM 7; TRIPOD+AI 5a',
      'data source',
      `${data.title}: ${data.train.source}; SHA-256 of the training images ${data.train.sha256}`,
    ),
    answered('CLAIM 9; TRIPOD+AI 7', 'preparation of images', preparation),
    answered(
      'CLAIM 10, 13; STARD 15, 16; TRIPOD+AI 11',
      'subsets, missing and unreadable data',
      `${unreadable} unreadable images left out` +
        (fixes === undefined
          ? ''
          : `; ${fixes.excluded.length} left out and ${Object.keys(fixes.relabelled).length} relabelled by decision`),
    ),
    answered('CLAIM 11; TRIPOD+AI 8a', 'classes', `${data.classNames.join(', ')}; the positive class is ${positive}`),
    answered('CLAIM 20; TRIPOD+AI 12a, 21', 'partitions', `${sizes} images; split.csv lists them`),
    data.group !== undefined
      ? answered(
          'CLAIM 21; TRIPOD+AI 12a',
          'level of the partitions',
          `no group (${data.group}) is in two parts; split.csv shows it`,
        )
      : missing(
          'CLAIM 21; TRIPOD+AI 12a',
          'level of the partitions',
          'images were divided one by one: train with a group, such as the patient',
        ),
    answered(
      'CLAIM 22; TRIPOD+AI 22',
      'model',
      `${model.name}, ${model.parameters} parameters, input ${model.inputShape.join('×')}`,
    ),
    answered(
      'CLAIM 23; STARD-AI',
      'software and version',
      `Fovea ${config.version}, ${engine.description}, Node ${machine.node}, ${machine.platform}`,
    ),
    answered(
      'CLAIM 24',
      'initial weights',
      model.pretrained === undefined
        ? `random, seed ${seed}`
        : `${model.pretrained.path} (SHA-256 ${model.pretrained.sha256})`,
    ),
    answered('CLAIM 25; TRIPOD+AI 12c', 'training', settings.join(', ')),
    answered(
      'CLAIM 26; TRIPOD+AI 12c',
      'choice of the model',
      techniques?.saveBest === undefined
        ? 'the weights of the last epoch; nothing was chosen'
        : `best epoch on validation images by ${techniques.saveBest}`,
    ),
    techniques?.classWeight === undefined && techniques?.sampler === undefined
      ? answered('TRIPOD+AI 13', 'class imbalance', 'not treated; the tables give the classes of each part')
      : answered(
          'TRIPOD+AI 13',
          'class imbalance',
          `class weights ${JSON.stringify(techniques.classWeight ?? 'none')}, sampler ${techniques.sampler ?? 'none'}`,
        ),
    answered(
      'CLAIM 28; STARD 14; TRIPOD+AI 12e',
      'metrics',
      'sensitivity, specificity, predictive values, AUC, calibration, net benefit',
    ),
    answered(
      'CLAIM 29; STARD 14, 17',
      'uncertainty',
      '95 % intervals: Wilson, DeLong, bootstrap by group where there are groups',
    ),
    answered('STARD 12a; TRIPOD+AI 15', 'threshold', facts.thresholdText),
    answered('TRIPOD+AI 12f, 24', 'recalibration', facts.calibrationText),
    hasTest
      ? answered(
          'CLAIM 35, 36; STARD 23, 24; TRIPOD+AI 23a',
          'performance',
          `on ${images} ${part} images${groups === null ? '' : ` of ${groups} groups`}; tables below`,
        )
      : missing(
          'CLAIM 35, 36; STARD 23, 24; TRIPOD+AI 23a',
          'performance on test images',
          'there are no test images: hold out some, or give test data',
        ),
    isExternal
      ? answered('CLAIM 32; TRIPOD+AI 16', 'external data', 'tables below')
      : missing(
          'CLAIM 32; TRIPOD+AI 16',
          'external data',
          'evaluate on data of another place (eval with predictions), and give the table as external',
        ),
    facts.hasSubgroups
      ? answered('TRIPOD+AI 12d, 23', 'subgroups', 'tables below')
      : missing('TRIPOD+AI 12d, 23', 'subgroups', 'give a table with columns such as sex, age or camera'),
    facts.hasRobustness
      ? answered('CLAIM 30', 'robustness', 'table below')
      : missing('CLAIM 30', 'robustness', 'make the dossier with robustness'),
    missing('CLAIM 31', 'explanation', 'make maps with fovea explain, with their checks'),
    answered('CLAIM 37', 'failures', 'the worst mistakes are listed below, all of them in predictions.csv'),
    answered(
      'CLAIM 19; STARD 18; TRIPOD+AI 10',
      'sample size',
      'reached precision and needed sizes below; say how the size was planned',
    ),
    facts.prevalence === null
      ? missing('STARD 24; TRIPOD+AI 12e', 'clinical use', 'state the prevalence where the test will be used')
      : answered(
          'STARD 24; TRIPOD+AI 12e',
          'clinical use',
          `decision curve and predictive values at a prevalence of ${100 * facts.prevalence} %`,
        ),
    ...byAuthors.map(([items, topic, text]): ChecklistItem => ({ items, topic, status: 'open', text })),
  ];
}
