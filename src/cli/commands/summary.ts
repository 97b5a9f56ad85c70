import { formatShape } from '../../graph/shape.js';
import { summarize } from '../../nn/summary.js';
import { namedModel, usualData } from '../../run/catalog/models.js';
import { outputsFor } from '../../run/losses.js';
import { recipeFor } from '../../run/recipe.js';
import { formatCount } from '../../text/numbers.js';
import { print, printJson, printTable, type Terminal } from '../terminal.js';

interface SummaryCommandOptions {
  readonly input?: readonly number[];
  readonly classes?: number;
  readonly json?: boolean;
}

export async function summary(model: string, options: SummaryCommandOptions, terminal: Terminal): Promise<number> {
  const kind = namedModel(model);
  const input = options.input ?? [1, ...kind.inputShape];
  const { classes } = usualData(model);
  const numClasses = options.classes ?? outputsFor(recipeFor(model, classes), classes);
  const network = kind.create({ numClasses }, input.slice(1));
  const { layers, ...totals } = summarize(network, input);
  if (options.json) {
    printJson(terminal, 'summary.network', { model, input, layers, ...totals });
    return 0;
  }
  print(terminal, `${kind.title}, input ${formatShape(input)}\n`);
  const shapeOf = (shape: readonly number[] | undefined) => (shape === undefined ? '' : formatShape(shape));
  printTable(
    terminal,
    [
      { header: 'layer' },
      { header: 'output' },
      { header: 'weight' },
      { header: 'bias' },
      { header: 'parameters', align: 'right' },
    ],
    layers.map(({ name, outputShape, state, parameters }) => [
      name,
      formatShape(outputShape),
      shapeOf(state.weight),
      shapeOf(state.bias),
      Object.keys(state).length === 0 ? '' : formatCount(parameters),
    ]),
    { totals: [['total', formatShape(totals.outputShape), '', '', formatCount(totals.parameters)]] },
  );
  if (totals.buffers > 0) print(terminal, `and ${formatCount(totals.buffers)} values of running statistics`);
  return 0;
}
