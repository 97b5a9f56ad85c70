import {
  type Callback,
  type Checkpoint,
  type CheckpointStore,
  evaluate,
  io,
  type Json,
  nn,
  optimizer,
  seed,
  type Training,
  train,
  vision,
} from 'fovea';
import type { Digits } from './digits.js';
import type { Answer, Curves, Point, Settings } from './protocol.js';
import { mapsOf } from './watch.js';
import { weightsMetadata } from './weightsRecord.js';

const usual: Settings = { optimizer: 'momentum', learningRate: 0.001, batchSize: 10, epochs: 5 };
/** Images between two points of the loss, between two of the accuracy, and between two saved states. */
const spacing = { loss: 1000, quick: 10_000, save: 20_000 };
/** Milliseconds between two messages. */
const interval = 150;
const mostQuick = 1000;

/** The notes that are saved with a state. */
interface Notes {
  readonly settings: Settings;
  readonly curves: Curves;
}

const make = {
  momentum: (options) => new optimizer.Momentum({ ...options, momentum: 0.9 }),
  sgd: (options) => new optimizer.SGD(options),
  adam: (options) => new optimizer.Adam(options),
  adamw: (options) => new optimizer.AdamW(options),
} satisfies Record<Settings['optimizer'], (options: optimizer.OptimizerOptions) => optimizer.Optimizer>;

const objective = new nn.CrossEntropyLoss();
const lossOf: Parameters<typeof train>[0]['loss'] = (outputs, labels) => objective.forward(outputs, labels);

/** One training, and what its page shows of it. */
export class Lesson implements Callback {
  readonly #data: { readonly train: Digits; readonly test: Digits };
  readonly #store: CheckpointStore | null;
  readonly #tell: (answer: Answer) => void;
  settings: Settings = usual;
  network = new vision.models.course.LeNet({ numClasses: 10 });
  curves: Curves = { loss: [], quick: [], full: [] };
  #rule: optimizer.Optimizer = make.momentum({ parameters: this.network.parameters() });
  #from: Checkpoint | null = null;
  #isDone = false;
  /** Resolves when the running training has ended; null if none runs. */
  #running: Promise<void> | null = null;
  #stop = new AbortController();
  /** Waits while the training is paused. */
  #pause: { readonly over: Promise<void>; readonly end: () => void } | null = null;
  #isPaused = false;
  /** Work for the time between two steps. */
  #between: ((training: Training | null) => Promise<void>)[] = [];
  #digit: vision.images.Digit | null = null;
  #lossSum = 0;
  #lossSteps = 0;
  #told = { time: 0, images: 0 };

  constructor(
    data: { readonly train: Digits; readonly test: Digits },
    store: CheckpointStore | null,
    tell: (answer: Answer) => void,
  ) {
    this.#data = data;
    this.#store = store;
    this.#tell = tell;
    this.begin(usual);
  }

  get step(): number {
    return this.#rule.steps;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  get quickImages(): number {
    return Math.min(mostQuick, this.#data.test.length);
  }

  /** A new network with its first random weights. */
  begin(settings: Settings): void {
    seed(1);
    this.settings = settings;
    this.network = new vision.models.course.LeNet({ numClasses: 10 });
    const { learningRate } = settings;
    this.#rule = make[settings.optimizer]({ learningRate, parameters: this.network.parameters() });
    this.curves = { loss: [], quick: [], full: [] };
    this.#from = null;
    this.#isDone = false;
    this.#lossSum = 0;
    this.#lossSteps = 0;
  }

  /** Continues the saved training, if there is one. @returns whether there was */
  async resume(): Promise<boolean> {
    const saved = (await this.#store?.read()) ?? null;
    if (saved === null) return false;
    const { settings, curves } = saved.notes as unknown as Notes;
    this.begin(settings);
    saved.restore(this.network, this.#rule);
    this.curves = curves;
    this.#from = saved;
    this.#isDone = saved.state.epoch > settings.epochs;
    return true;
  }

  /** Trains, or ends the pause. */
  train(): void {
    if (this.#pause !== null) {
      this.#isPaused = false;
      this.#pause.end();
      return;
    }
    this.#running ??= this.#train();
  }

  pause(): void {
    this.#isPaused = this.#running !== null;
  }

  /** Ends the training, forgets it and begins another one. */
  async restart(settings: Settings): Promise<void> {
    this.#stop.abort();
    this.#pause?.end();
    await this.#running;
    await this.#store?.remove();
    this.begin(settings);
    this.#tell({ kind: 'state', state: 'new' });
    this.showDigit();
  }

  setRate(learningRate: number): void {
    this.#rule.learningRate = learningRate;
  }

  show(digit: vision.images.Digit | null): void {
    this.#digit = digit;
    this.showDigit();
  }

  /** Computes the maps of the digit between two steps. */
  showDigit(): void {
    this.#whenIdle(() => this.#tellMaps());
  }

  /** Evaluates the weights of now, and makes their file. */
  giveWeights(): void {
    this.#whenIdle(async () => {
      const { accuracy } = await this.#evaluate();
      const file = new Blob((await io.safetensorsFile(this.network, weightsMetadata)) as Uint8Array<ArrayBuffer>[]);
      this.#tell({ kind: 'weights', file, accuracy, images: this.#data.test.length });
    });
  }

  #whenIdle(work: (training: Training | null) => Promise<void>): void {
    this.#between.push(work);
    if (this.#running === null || this.#pause !== null) void this.#work(null);
  }

  async #work(training: Training | null): Promise<void> {
    try {
      for (let work = this.#between.shift(); work !== undefined; work = this.#between.shift()) await work(training);
    } catch (error) {
      this.#tell({ kind: 'problem', message: (error as Error).message });
    }
  }

  async #tellMaps(): Promise<void> {
    if (this.#digit !== null) this.#tell(await mapsOf(this.network, this.#digit));
  }

  async #train(): Promise<void> {
    const { batchSize, epochs } = this.settings;
    const loaderOf = (dataset: io.Dataset, size: number, shuffle: boolean) =>
      new io.DataLoader(dataset, { batchSize: Math.min(size, dataset.length), shuffle, reuse: true });
    this.#stop = new AbortController();
    this.#isPaused = false;
    this.#told = { time: performance.now(), images: 0 };
    this.#tell({ kind: 'state', state: 'training' });
    try {
      const { completed } = await train({
        network: this.network,
        optimizer: this.#rule,
        loss: lossOf,
        trainLoader: loaderOf(this.#data.train, batchSize, true),
        evalLoader: loaderOf(this.#data.test, 100, false),
        epochs,
        callbacks: [this],
        saveSteps: Math.ceil(spacing.save / batchSize),
        save: (training) => this.#save(training),
        signal: this.#stop.signal,
        from: this.#from ?? undefined,
      });
      this.#isDone = completed;
      if (completed) this.#tell({ kind: 'state', state: 'done' });
    } catch (error) {
      this.#tell({ kind: 'problem', message: (error as Error).message });
      this.#tell({ kind: 'state', state: 'done' });
      this.#isDone = true;
    } finally {
      this.#from = null;
      this.#running = null;
      void this.#work(null);
    }
  }

  async #save(training: Training): Promise<void> {
    // A training that is being forgotten must not come back.
    if (this.#store === null || this.#stop.signal.aborted) return;
    const notes: Notes = { settings: this.settings, curves: this.curves };
    try {
      await this.#store.save(training, notes as unknown as Json);
      this.#tell({ kind: 'saved' });
    } catch (error) {
      this.#tell({ kind: 'note', about: 'saving', message: (error as Error).message });
    }
  }

  async onBatchEnd(training: Training): Promise<void> {
    const { batchSize } = this.settings;
    this.#lossSum += training.loss;
    this.#lossSteps++;
    const every = (images: number) => this.step % Math.ceil(images / batchSize) === 0;
    if (every(spacing.loss)) {
      this.#add('loss', this.#lossSum / this.#lossSteps);
      this.#lossSum = 0;
      this.#lossSteps = 0;
    }
    if (every(spacing.quick)) await this.#evaluateQuickly();
    const now = performance.now();
    if (now - this.#told.time < interval && this.#between.length === 0 && !this.#isPaused) return;
    this.#tellProgress(training, now);
    await this.#tellMaps();
    await this.#work(training);
    if (this.#isPaused) await this.#wait(training);
  }

  async onEpochEnd(training: Training): Promise<void> {
    const { evaluation } = training;
    if (evaluation !== null) this.#add('full', evaluation.accuracy);
    await this.#tellMaps();
  }

  #tellProgress({ epoch, epochs, samples, epochSamples }: Training, now: number): void {
    const trained = this.step * this.settings.batchSize;
    const seconds = (now - this.#told.time) / 1000;
    const imagesPerSecond = this.#told.images === 0 ? 0 : (trained - this.#told.images) / seconds;
    this.#told = { time: now, images: trained };
    const { step } = this;
    this.#tell({ kind: 'progress', step, epoch, epochs, images: samples, epochImages: epochSamples, imagesPerSecond });
  }

  /** Saves and evaluates, then waits for the end of the pause. */
  async #wait(training: Training): Promise<void> {
    await this.#save(training);
    const { accuracy } = await this.#evaluate();
    this.#add('full', accuracy);
    this.#tell({ kind: 'state', state: 'paused' });
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#pause = { over, end };
    // Work that came meanwhile.
    await this.#work(training);
    if (!this.#stop.signal.aborted) await over;
    this.#pause = null;
    this.#told = { time: performance.now(), images: 0 };
    if (!this.#stop.signal.aborted) this.#tell({ kind: 'state', state: 'training' });
  }

  async #evaluateQuickly(): Promise<void> {
    const { test } = this.#data;
    const first =
      test.length <= mostQuick
        ? test
        : new io.Subset(
            test,
            Array.from({ length: mostQuick }, (_, i) => i),
          );
    this.#add('quick', (await this.#evaluate(first)).accuracy);
  }

  #evaluate(dataset: io.Dataset = this.#data.test) {
    const loader = new io.DataLoader(dataset, { batchSize: Math.min(100, dataset.length), reuse: true });
    return evaluate({ network: this.network, loader, loss: lossOf, mistakes: 0 });
  }

  #add(curve: keyof Curves, value: number): void {
    const point: Point = [this.step, value];
    this.curves[curve].push(point);
    this.#tell({ kind: 'point', curve, point });
  }
}
