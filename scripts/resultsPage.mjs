/** The trainings of `npm run results`, and the page about them. */

/** In the order of PaddlePaddle's tutorial, with the accuracy that it reports for the real photographs. */
export const networks = {
  lenet224: { title: 'LeNet', published: 'does not converge' },
  alexnet: { title: 'AlexNet', published: 'about 94 %' },
  vgg16: { title: 'VGG-16', published: 'about 94 %' },
  googlenet: { title: 'GoogLeNet', published: 'about 95 %' },
  resnet50: { title: 'ResNet-50', published: 'about 96 %' },
};

const all = Object.keys(networks);
/** Options that differ by network in the modern recipe: the highest stable learning rate. LeNet has a recipe of its own. */
const modern = {
  lenet224: ['--config', 'examples/fundus-lenet.yaml'],
  alexnet: ['--config', 'examples/fundus.yaml', '--lr', '1e-4'],
  vgg16: ['--config', 'examples/fundus.yaml', '--lr', '1e-4'],
  googlenet: ['--config', 'examples/fundus.yaml', '--lr', '3e-4'],
  resnet50: ['--config', 'examples/fundus.yaml', '--lr', '1e-3'],
};
/** Evaluates after the last epoch only; the weights are the same. */
const evaluatedOnce = ['--eval-every', '1000'];

/** Sets of trainings: which networks, and the options of `fovea train` beyond data and seed. */
export const studies = {
  recipes: { title: 'as in the tutorial', models: all, options: () => [] },
  modern: {
    title: 'modern recipe',
    models: all,
    options: (model) => [...modern[model], ...evaluatedOnce],
  },
  direct: {
    title: 'direct convolutions',
    models: ['vgg16', 'resnet50'],
    options: () => ['--conv', 'direct', ...evaluatedOnce],
  },
  bf16: { title: 'bf16', models: all, options: () => ['--precision', 'bf16', ...evaluatedOnce] },
  float32: {
    title: 'modern recipe in float32',
    models: all,
    options: (model) => [...modern[model], '--precision', 'float32', ...evaluatedOnce],
  },
};

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
const percent = (x) => (100 * x).toFixed(1);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const accuraciesOf = (results) => results.map(({ atThreshold }) => atThreshold.accuracy.value);
const areasOf = (results) => results.map(({ auc }) => auc.value);

function recipeOf({ recipe }) {
  const { optimizer, batchSize, epochs } = recipe;
  const name = { adam: 'Adam', adamw: 'AdamW' }[optimizer.name] ?? `Momentum ${optimizer.momentum}`;
  const decay = optimizer.weightDecay === 0 ? '' : `, weight decay ${optimizer.weightDecay}`;
  return `${name}, ${optimizer.learningRate}${decay}, batch ${batchSize}, ${epochs} epochs`;
}

function table(header, rows) {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const modelsOf = (results) => all.filter((name) => results.some(({ model }) => model === name));
const ofModel = (results, name) => results.filter(({ model }) => model === name);

function mainTable(results) {
  const header = [
    'network',
    'parameters',
    'recipe',
    'accuracy, %',
    'mean',
    'median',
    'AUC',
    'mean',
    'seconds an epoch',
  ];
  const rows = modelsOf(results).map((model) => {
    const own = ofModel(results, model);
    const [accuracies, areas] = [accuraciesOf(own), areasOf(own)];
    const seconds = own.flatMap(({ epochs }) => epochs.map((epoch) => epoch.seconds));
    const { title, published } = networks[model];
    return [
      title,
      own[0].config.model.parameters.toLocaleString('en'),
      recipeOf(own[0].config),
      accuracies.map(percent).join(', '),
      percent(mean(accuracies)),
      percent(median(accuracies)),
      areas.map((area) => area.toFixed(3)).join(', '),
      mean(areas).toFixed(3),
      median(seconds).toFixed(1),
      published,
    ];
  });
  return table([...header, 'published for the photographs'], rows);
}

/** Accuracy and AUC of a study beside those of another one. */
function comparison(results, base, { title, than = 'recipes' }) {
  const header = [
    'network',
    'recipe',
    'accuracy, %',
    'mean',
    `mean ${studies[than].title}`,
    'AUC',
    'mean AUC',
    `mean AUC ${studies[than].title}`,
  ];
  const rows = modelsOf(results).map((model) => {
    const [own, before] = [results, base].map((list) => ofModel(list, model));
    return [
      networks[model].title,
      recipeOf(own[0].config),
      accuraciesOf(own).map(percent).join(', '),
      percent(mean(accuraciesOf(own))),
      before.length === 0 ? '–' : percent(mean(accuraciesOf(before))),
      areasOf(own)
        .map((area) => area.toFixed(3))
        .join(', '),
      mean(areasOf(own)).toFixed(3),
      before.length === 0 ? '–' : mean(areasOf(before)).toFixed(3),
    ];
  });
  return `## ${title}\n\n${table(header, rows)}`;
}

const further = {
  modern: {
    title: 'A modern recipe',
    text: 'AdamW and one cycle of the learning rate; each epoch flips, rotates, shifts and scales the images and changes their light: `examples/fundus.yaml`. LeNet gets stratified batches, normalized images and a high momentum: `examples/fundus-lenet.yaml`.',
  },
  direct: {
    title: 'Direct instead of Winograd convolutions',
    text: 'The same recipes and seeds with `--conv direct`. The two algorithms round differently, and the difference grows from step to step.',
  },
  bf16: {
    title: 'bfloat16 features',
    text: 'The same recipes and seeds with `--precision bf16`. AlexNet with the tutorial’s Adam is unstable in both precisions and may learn nothing; compare it with the modern recipe below.',
  },
  float32: {
    title: 'The modern recipe in float32',
    text: 'The modern recipe above runs in bf16; this is the same with `--precision float32`.',
    than: 'modern',
  },
};

/** @param done results of each finished study, by name */
export function page(done, { seeds, further: options, data: asked, folder }) {
  const plain = done.get('recipes') ?? [];
  const [first] = plain.length > 0 ? plain : [...done.values()].flat();
  if (first === undefined) return '# Results\n\nNo study is complete.\n';
  const { data, engine, machine, version } = first.config;
  const own = [...(data.synthetic ? [] : [`--data ${asked}`, `--folder ${folder}`]), ...options].join(' ');
  const command = (study) =>
    ['npm run results', [study === 'recipes' ? '' : `--study ${study}`, own].filter(Boolean).join(' ')]
      .filter(Boolean)
      .join(' -- ');
  const waits = plain.flatMap(({ epochs }) => epochs.slice(1).map((epoch) => epoch.dataShare));
  const notices = plain
    .filter(({ notice }) => /entropy/.test(notice ?? ''))
    .map(({ model, seed }) => `${networks[model].title} (seed ${seed})`);
  const fallen = plain.flatMap(({ model, seed, epochs }) => {
    const evaluated = epochs.filter(({ evalAccuracy }) => evalAccuracy !== null);
    const best = evaluated.reduce((one, other) => (other.evalAccuracy > one.evalAccuracy ? other : one));
    const last = evaluated.at(-1);
    if (best.evalAccuracy - last.evalAccuracy < 0.1) return [];
    const accuracies = [best, last].map(({ epoch, evalAccuracy }) => `${percent(evalAccuracy)} % after epoch ${epoch}`);
    return [`${networks[model].title} (seed ${seed}): ${accuracies.join(', ')}`];
  });
  const others = Object.entries(further)
    .filter(([study]) => done.has(study))
    .map(([study, section]) => {
      const base = done.get(section.than ?? 'recipes') ?? [];
      return `${comparison(done.get(study), base, section)}\n\n${section.text} Made by \`${command(study)}\`.\n`;
    });
  return `# Results

${data.synthetic ? 'On the synthetic stand-in for iChallenge-PM (`fovea data palm synth`, seed 0): images made by a program, which say nothing about real eyes.' : 'On iChallenge-PM.'}
${data.train.images} training and ${data.eval.images} validation images, of which ${data.eval.classCounts[1]} show pathologic myopia; evaluated after the last epoch with
the threshold 0.5. Seeds ${seeds.join(', ')}, one entry each. With ${data.eval.images} images the 95 % interval of an accuracy of 95 % is about ±2 points:
smaller differences between networks mean nothing.

${plain.length === 0 ? '' : mainTable(plain)}

- Made by \`${command('recipes')}\`. Finished trainings are not repeated; \`--folder DIR\` starts from the beginning.
- A logistic regression on the mean colour of the images: \`npm run bench -- meanColour ${folder}/palm\`.
- With the real photographs: \`fovea data palm import training.zip validation.zip valid_gt.zip --out palm\`, then
  \`npm run results -- --data palm:palm --folder runs/photographs --out results-photographs.md\`.
- Seconds are those of the median training epoch, without its evaluation: ${engine.description}, up to ${engine.threads} threads,
  ${machine.processor}, Node ${machine.node}, Fovea ${version}.${
    waits.length === 0
      ? ''
      : ` Waiting for data took ${(100 * median(waits)).toFixed(1)} % of the time in the\n  median epoch after the first, and ${(100 * Math.max(...waits)).toFixed(1)} % in the slowest.`
  }
${notices.length > 0 ? `- The loss stayed at the entropy of the class shares (nothing was learned, and the command says so): ${notices.join(', ')}.\n` : ''}${fallen.length > 0 ? `- Accuracy fell before the end, as with this recipe on some seeds in PaddlePaddle too (\`docs/performance.md\`, Accuracy): ${fallen.join('; ')}.\n` : ''}- The published values are those of PaddlePaddle's tutorial on image classification, for the photographs, after 5 epochs.
- Checksum of the training images and labels: \`${data.train.sha256}\`; of the validation images: \`${data.eval.sha256}\`.
${others.length === 0 ? '' : `\n${others.join('\n')}`}`;
}
