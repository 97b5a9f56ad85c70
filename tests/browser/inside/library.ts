import {
  CheckpointStore,
  engineInfo,
  io,
  nn,
  optimizer,
  seed,
  setThreads,
  Tensor,
  type Training,
  train,
  vision,
} from 'fovea';
import { currentEngine } from '../../../src/engine/select.js';

/** Functions that tests call in a page or in its worker: arguments and results are JSON. */

const hex = async (bytes: Uint8Array) => {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
};
const joined = async (pieces: readonly Uint8Array[]) =>
  new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
const weightsOf = async (network: nn.Layer) => hex(await joined(await io.safetensorsFile(network)));

/** Stores that stay open. */
const open: CheckpointStore[] = [];

async function makeTraining(name: string) {
  seed(5);
  const network = new nn.Sequential(new nn.Conv2D(1, 4, 3), new nn.BatchNorm2D(4), new nn.ReLU(), new nn.Flatten());
  network.addSublayer('head', new nn.Linear(4 * 36, 3));
  network.addSublayer('dropout', new nn.Dropout(0.2));
  const pixels = Float32Array.from({ length: 40 * 64 }, (_, i) => ((i * 37) % 101) / 101);
  const samples = Array.from({ length: 40 }, (_, i) => ({ image: pixels.subarray(64 * i, 64 * i + 64), label: i % 3 }));
  const dataset: io.Dataset = { length: 40, get: (i) => ({ ...samples[i], shape: [1, 8, 8] }) };
  const rule = new optimizer.Adam({
    learningRate: new optimizer.lr.StepDecay({ learningRate: 0.01, stepSize: 7 }),
    parameters: network.parameters(),
  });
  return { store: await CheckpointStore.open(name), network, dataset, rule };
}

const functions = {
  info: async () => engineInfo(),

  /** Weights after some steps on so many threads, and how many took part. */
  async threads(counts: readonly number[], mayWait: boolean) {
    // Threads start while the worker waits.
    const pause = () => new Promise((resolve) => setTimeout(resolve, 30));
    const pixels = Float32Array.from({ length: 4 * 16 * 48 * 48 }, (_, i) => ((i * 37) % 101) / 101);
    const found: { readonly digest: string; readonly used: number }[] = [];
    for (const count of counts) {
      setThreads(count);
      seed(2);
      const network = new nn.Sequential(new nn.Conv2D(16, 32, 3), new nn.ReLU(), new nn.Conv2D(32, 16, 3));
      const rule = new optimizer.SGD({ parameters: network.parameters(), learningRate: 0.1 });
      const forward = () =>
        network
          .forward(Tensor.fromData(pixels, [4, 16, 48, 48]))
          .square()
          .mean();
      for (let step = 0; step < 5; step++) {
        forward().backward();
        await rule.step();
        rule.clearGrad();
        await pause();
      }
      const digest = await weightsOf(network);
      const used = () => (currentEngine() as { readonly threadsUsed?: number }).threadsUsed ?? 1;
      // On a loaded machine threads take their time to start.
      for (let looks = 0; mayWait && count > 1 && used() === 1 && looks < 1000; looks++) {
        await forward().item();
        await pause();
      }
      found.push({ digest, used: used() });
    }
    return found;
  },

  /** Trains, and saves after every third step; ends after so many steps. */
  async resume(name: string, steps: number, epochs = 4) {
    const { store, network, dataset, rule } = await makeTraining(name);
    const from = await store.read();
    from?.restore(network, rule);
    const objective = new nn.CrossEntropyLoss();
    const stop = new AbortController();
    const { history } = await train({
      network,
      optimizer: rule,
      loss: (outputs, labels) => objective.forward(outputs, labels),
      trainLoader: new io.DataLoader(dataset, { batchSize: 8, shuffle: true }),
      epochs,
      saveSteps: 3,
      save: (training) => store.save(training, { steps: training.optimizer.steps }),
      from: from ?? undefined,
      signal: stop.signal,
      callbacks: [{ onBatchEnd: ({ optimizer: { steps: done } }) => void (done === steps && stop.abort()) }],
    });
    await store.close();
    const began = from === null ? 0 : from.state.steps;
    return {
      began,
      notes: from?.notes ?? null,
      losses: history.map(({ trainLoss }) => trainLoss),
      weights: await weightsOf(network),
    };
  },

  /** Saves states whose weights are all their number, one after the other, without an end. */
  async saveForever(name: string, progress: { saved: number }) {
    const store = await CheckpointStore.open(name);
    const network = new nn.Linear(512, 1024);
    const rule = new optimizer.Momentum({ parameters: network.parameters() });
    for (let steps = 1; ; steps++) {
      const values = new Float32Array(512 * 1024).fill(steps);
      network.weight.load(values);
      const state = { epoch: 1, batch: steps, steps };
      await store.save({ network, optimizer: rule, history: [], state: () => state } as unknown as Training, steps);
      progress.saved = steps;
    }
  },

  /** The number of the saved state, if it is whole. */
  async savedNumber(name: string) {
    const store = await CheckpointStore.open(name);
    const saved = await store.read();
    await store.close();
    const { data } = saved?.weights.get('weight') ?? { data: [] };
    const [first] = data;
    return {
      notes: saved?.notes ?? null,
      state: saved?.state.steps ?? null,
      first,
      equal: data.every((x) => x === first),
    };
  },

  async hold(name: string) {
    open.push(await CheckpointStore.open(name));
  },

  async pictures(names: readonly string[], options: vision.images.PreprocessOptions) {
    const found: Record<string, unknown> = {};
    for (const name of names) {
      const blob = await (await fetch(name)).blob();
      const { data, height, width } = await vision.images.decodeImage(blob);
      const { pixels } = await vision.images.preprocess(blob, options);
      found[name] = { size: [height, width], data: Array.from(data), pixels: Array.from(pixels) };
    }
    return found;
  },

  async digit(name: string) {
    const { image, note } = await vision.images.readDigit(await createImageBitmap(await (await fetch(name)).blob()));
    return { image: Array.from(image), note };
  },

  async refused(name: string) {
    const blob = await (await fetch(name)).blob();
    return vision.images.decodeImage(blob).then(String, (error: Error) => `${error.name}: ${error.message}`);
  },

  async weights(name: string) {
    const fetched = await io.loadSafetensors(name);
    const chosen = await io.loadSafetensors(await (await fetch(name)).blob());
    const again = await joined(await io.safetensorsFile(chosen.tensors, chosen.metadata));
    const missing = await io.loadSafetensors('missing.safetensors').catch((error: Error) => error.message);
    return { names: [...fetched.tensors.keys()], digest: await hex(again), missing };
  },

  /** A frame of the camera. For a page alone. */
  async camera() {
    const video = document.createElement('video');
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
    await video.play();
    const { data, height, width } = await vision.images.decodeImage(video);
    return { bytes: data.length, height, width, shown: data.some((value) => value !== data[0]) };
  },
};

/** The last number that `saveForever` has saved. */
const progress = { saved: 0 };

if (typeof document === 'undefined') {
  addEventListener('message', async ({ data: [id, name, args] }) => {
    if (name === 'progress') return postMessage([id, progress.saved]);
    const call = functions[name as keyof typeof functions] as (...given: unknown[]) => Promise<unknown>;
    const given = name === 'saveForever' ? [...args, progress] : args;
    postMessage([id, await call(...given).catch((error: Error) => ({ error: `${error.name}: ${error.message}` }))]);
  });
} else {
  const worker = new Worker(new URL('./library.js', import.meta.url), { type: 'module' });
  let calls = 0;
  const waiting = new Map<number, (result: unknown) => void>();
  worker.addEventListener('message', ({ data: [id, result] }) => waiting.get(id)?.(result));
  Object.assign(globalThis, {
    inPage: functions,
    inWorker: (name: string, ...args: unknown[]) =>
      new Promise((resolve) => {
        waiting.set(++calls, resolve);
        worker.postMessage([calls, name, args]);
      }),
  });
}
