import { requireValue } from '../check.js';
import { numel, type Shape } from '../graph/shape.js';
import { inspect } from '../inspection.js';
import { kindOf } from '../kind.js';
import { AdaptiveAvgPool2D, AvgPool2D, BatchNorm2D, Conv2D, LeakyReLU, Linear, Sequential } from '../nn/index.js';
import { aLayer, type Layer } from '../nn/layer.js';
import { trace } from '../nn/summary.js';
import { Parameter } from '../tensor/state.js';
import { visibleLine } from '../text/visible.js';

/** The counts that `paddle.summary` returns. As text, the table that it prints. */
export class ParameterCounts {
  /** Number of all saved values: parameters, and running statistics, which Paddle counts among them. */
  readonly totalParams: number;
  readonly trainableParams: number;
  readonly #table: string;

  /** @internal */
  constructor(totalParams: number, trainableParams: number, table: string) {
    this.totalParams = totalParams;
    this.trainableParams = trainableParams;
    this.#table = table;
  }

  toString(): string {
    return this.#table;
  }

  /** @internal */
  [inspect](): string {
    return this.#table;
  }
}

/** One layer of a {@link FlopCount}. */
export interface LayerFlops {
  readonly name: string;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly parameters: number;
  readonly flops: number;
}

/** The result of {@link flops}. As text, the table that `paddle.flops` prints with `print_detail`. */
export class FlopCount {
  /** Layers without layers inside, in the order in which the input passes them first. */
  readonly layers: readonly LayerFlops[];

  /** @internal */
  constructor(layers: readonly LayerFlops[]) {
    this.layers = layers;
  }

  /** Multiply-adds of all layers. */
  get total(): number {
    return this.layers.reduce((sum, { flops }) => sum + flops, 0);
  }

  /** Parameters and running statistics of all layers. */
  get parameters(): number {
    return this.layers.reduce((sum, { parameters }) => sum + parameters, 0);
  }

  toString(): string {
    const head = ['Layer Name', 'Input Shape', 'Output Shape', 'Params', 'Flops'];
    const rows = this.layers.map(({ name, inputShape, outputShape, parameters, flops }) => [
      visibleLine(name),
      list(inputShape),
      list(outputShape),
      String(parameters),
      String(flops),
    ]);
    return `${grid([head, ...rows])}\nTotal Flops: ${this.total}     Total Params: ${this.parameters}`;
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }
}

/**
 * Counts the parameters of a network. The text of the result is the table that `paddle.summary` prints: one
 * row per call of a layer, in the order in which the calls end, without sequences and the network itself.
 * Layers are numbered by class in the order in which they were made, within the network. A layer that is
 * called several times has several rows, and the first one counts its parameters (Paddle shows only one row).
 *
 * @param inputShape with the batch: `[1, 3, 224, 224]`
 * @throws {ShapeError} if the network cannot take such an input
 *
 * @example
 * ```ts
 * import { summary, vision } from 'fovea';
 *
 * const counts = summary(vision.models.resnet18(), [1, 3, 224, 224]);
 * console.log(`${counts}`);
 * ```
 */
export function summary(network: Layer, inputShape: Shape): ParameterCounts {
  requireValue('summary', 'network', network, aLayer);
  const sublayers = network.sublayers();
  const watched = sublayers.length === 0 ? [network] : sublayers.filter((layer) => !(layer instanceof Sequential));
  const names = numbered(watched);
  const counted = new Set<Layer>();
  const rows: string[][] = [];
  let outputs = 0;
  let totalParams = 0;
  let trainableParams = 0;
  trace(network, inputShape, watched, (layer, input, output) => {
    const own = counted.has(layer) ? [] : [...layer.ownState().values()];
    counted.add(layer);
    const params = own.reduce((sum, { size }) => sum + size, 0);
    totalParams += params;
    trainableParams += own.reduce((sum, state) => sum + (state instanceof Parameter ? state.size : 0), 0);
    outputs += output.size;
    rows.push([names.get(layer) as string, `[${list(input.shape)}]`, list(output.shape), params.toLocaleString('en')]);
  });
  const widths = [15, 20, 20, 15].map((width, i) => rows.reduce((most, row) => Math.max(most, row[i].length), width));
  const width = Math.max(75, widths.reduce((a, b) => a + b) + 5);
  const line = (cells: readonly string[]) => cells.map((cell, i) => centred(cell, widths[i])).join(' ');
  const megabytes = (values: number) => (values * 4) / 1024 ** 2;
  const sizes = [numel(inputShape), 2 * outputs, totalParams].map(megabytes);
  const table = [
    '-'.repeat(width),
    line(['Layer (type)', 'Input Shape', 'Output Shape', 'Param #']),
    '='.repeat(width),
    ...rows.map(line),
    '='.repeat(width),
    `Total params: ${totalParams.toLocaleString('en')}`,
    `Trainable params: ${trainableParams.toLocaleString('en')}`,
    `Non-trainable params: ${(totalParams - trainableParams).toLocaleString('en')}`,
    '-'.repeat(width),
    `Input size (MB): ${sizes[0].toFixed(2)}`,
    `Forward/backward pass size (MB): ${sizes[1].toFixed(2)}`,
    `Params size (MB): ${sizes[2].toFixed(2)}`,
    `Estimated Total Size (MB): ${sizes.reduce((a, b) => a + b).toFixed(2)}`,
    '-'.repeat(width),
  ].join('\n');
  return new ParameterCounts(totalParams, trainableParams, table);
}

/**
 * Counts the multiply-adds of a network's layers as `paddle.flops` does. The text of the result is its table.
 * A convolution's bias adds one for each output. Batch norm counts two for each input, average pooling its
 * window. Other layers, and functions that `forward` calls, count as nothing.
 *
 * @param inputShape with the batch: `[1, 3, 224, 224]`
 * @throws {ShapeError} if the network cannot take such an input
 */
export function flops(network: Layer, inputShape: Shape): FlopCount {
  requireValue('flops', 'network', network, aLayer);
  const leaves = [network, ...network.sublayers()].filter((layer) => layer.namedChildren().size === 0);
  const passed = new Map<Layer, LayerFlops>();
  trace(network, inputShape, leaves, (layer, { shape: input }, { shape: output }) => {
    const before = passed.get(layer)?.flops ?? 0;
    passed.set(layer, {
      name: layer.fullName(),
      inputShape: input,
      outputShape: output,
      parameters: [...layer.ownState().values()].reduce((sum, { size }) => sum + size, 0),
      flops: before + operationsOf(layer, input, output),
    });
  });
  return new FlopCount([...passed.values()]);
}

function operationsOf(layer: Layer, input: Shape, output: Shape): number {
  if (layer instanceof Conv2D) {
    return numel(output) * (numel(layer.weight.shape.slice(1)) + (layer.bias === null ? 0 : 1));
  }
  if (layer instanceof Linear) return numel(output) * layer.weight.shape[0];
  if (layer instanceof BatchNorm2D) return 2 * numel(input);
  if (layer instanceof LeakyReLU) return numel(input);
  if (layer instanceof AvgPool2D) return numel(output);
  if (layer instanceof AdaptiveAvgPool2D) {
    const window = Math.floor(input[2] / output[2]) * Math.floor(input[3] / output[3]);
    return numel(output) * (window + 1);
  }
  return 0;
}

/** `Conv2D-1` and so on, by class in the order in which the layers were made. */
function numbered(layers: readonly Layer[]): Map<Layer, string> {
  const index = (layer: Layer) => Number(layer.fullName().split('_').pop());
  const counts = new Map<string, number>();
  const names = new Map<Layer, string>();
  for (const layer of [...layers].sort((a, b) => index(a) - index(b))) {
    const kind = visibleLine(kindOf(layer));
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    names.set(layer, `${kind}-${count}`);
  }
  return names;
}

const list = (shape: Shape) => `[${shape.join(', ')}]`;

/** Centres a text as Python does: an odd space goes behind it. */
function centred(text: string, width: number): string {
  const before = Math.floor((width - text.length) / 2);
  return `${' '.repeat(Math.max(0, before))}${text}`.padEnd(width);
}

/**
 * Makes a table as prettytable does: an odd space goes in front of texts of even length, and behind others.
 */
function grid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => rows.reduce((most, row) => Math.max(most, row[i].length), 0));
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const lines = rows.map((row) => {
    const cells = row.map((cell, i) => {
      const room = widths[i] - cell.length;
      const before = cell.length % 2 === 0 ? Math.ceil(room / 2) : Math.floor(room / 2);
      return ` ${`${' '.repeat(before)}${cell}`.padEnd(widths[i])} `;
    });
    return `|${cells.join('|')}|`;
  });
  return [rule, lines[0], rule, ...lines.slice(1), rule].join('\n');
}
