import { Curve } from './curve.js';
import { MapViews } from './maps.js';
import { Pad } from './pad.js';
import type { Answer, Curves, Progress, Ready, Request, Settings } from './protocol.js';

const part = (id: string): HTMLElement => {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
};
const button = (id: string) => part(id) as HTMLButtonElement;
const text = (id: string, value: string) => {
  if (part(id).textContent !== value) part(id).textContent = value;
};
const count = (value: number) => Math.round(value).toLocaleString('en');
const percent = (value: number) => `${(100 * value).toFixed(2)} %`;

const worker = new Worker(new URL('./trainer.js', import.meta.url), { type: 'module' });
const ask = (request: Request, transfer: Transferable[] = []) => worker.postMessage(request, transfer);

let curves: Curves = { loss: [], quick: [], full: [] };
let state: 'loading' | 'new' | 'training' | 'paused' | 'done' = 'loading';
let progress: Progress | null = null;
let testImages = 0;
let hasDigit = false;

const lossCurve = new Curve(part('loss-curve') as HTMLCanvasElement, {
  series: () => [{ points: curves.loss, color: '--accent' }],
  range: (values) => [0, Math.max(2.4, ...values.map((value) => Math.min(value, 10)))],
  format: (value) => value.toFixed(2),
});
const accuracyCurve = new Curve(part('accuracy-curve') as HTMLCanvasElement, {
  series: () => [
    { points: curves.quick, color: '--second' },
    { points: curves.full, color: '--accent', dots: true },
  ],
  range: () => [0, 1],
  format: (value) => `${Math.round(100 * value)} %`,
});
const views = new MapViews(part);

const rate = part('rate') as HTMLInputElement;
const learningRate = () => Number((10 ** Number(rate.value)).toPrecision(2));

function settings(): Settings {
  const value = (id: string) => (part(id) as HTMLSelectElement).value;
  return {
    optimizer: value('optimizer') as Settings['optimizer'],
    learningRate: learningRate(),
    batchSize: Number(value('batch')),
    epochs: Number(value('epochs')),
  };
}

function showSettings({ optimizer, batchSize, epochs, learningRate: value }: Settings): void {
  (part('optimizer') as HTMLSelectElement).value = optimizer;
  (part('batch') as HTMLSelectElement).value = String(batchSize);
  (part('epochs') as HTMLSelectElement).value = String(epochs);
  rate.value = String(Math.log10(value));
  text('rate-value', String(learningRate()));
}

function showCurves(): void {
  const [, loss] = curves.loss.at(-1) ?? [];
  const newest = [curves.quick.at(-1), curves.full.at(-1)].filter((point) => point !== undefined);
  newest.sort(([a], [b]) => b - a);
  text('loss', loss === undefined ? '–' : loss.toFixed(3));
  text(
    'accuracy',
    newest.length === 0
      ? '–'
      : percent((curves.full.at(-1)?.[0] === newest[0][0] ? (curves.full.at(-1) ?? newest[0]) : newest[0])[1]),
  );
  lossCurve.draw();
  accuracyCurve.draw();
}

function showState(): void {
  const names = { loading: 'Train', new: 'Train', training: 'Pause', paused: 'Continue', done: 'Done' };
  button('run').textContent = names[state];
  button('run').disabled = state === 'loading' || state === 'done';
  for (const id of ['restart', 'example', 'download']) button(id).disabled = state === 'loading';
  const full = curves.full.at(-1);
  const result = full === undefined ? '' : ` ${percent(full[1])} of ${count(testImages)} test images right.`;
  if (state === 'new') text('status', 'Ready. The weights are random.');
  if (state === 'paused') text('status', `Paused at step ${count(full?.[0] ?? 0)}.${result}`);
  if (state === 'done') text('status', `Done.${result} Start over with other settings, or draw digits.`);
  if (state === 'done') (part('progress') as HTMLProgressElement).value = 1;
  if (state === 'new') (part('progress') as HTMLProgressElement).value = 0;
  if (state !== 'training') text('speed', '–');
}

function showProgress(): void {
  if (progress === null || state !== 'training') return;
  const { epoch, epochs, images, epochImages, imagesPerSecond } = progress;
  text('status', `Epoch ${epoch} of ${epochs}: ${count(images)} of ${count(epochImages)} images.`);
  (part('progress') as HTMLProgressElement).value = images / epochImages;
  if (imagesPerSecond > 0) text('speed', count(Number(imagesPerSecond.toPrecision(2))));
}

function showReady(ready: Ready): void {
  testImages = ready.testImages;
  text('quick', count(ready.quickImages));
  text('tested', count(testImages));
  text('engine', `Computed by Fovea: ${ready.engine}. Data: MNIST, by Yann LeCun, Corinna Cortes and Chris Burges.`);
  curves = ready.curves;
  if (ready.settings === null) state = 'new';
  else {
    showSettings(ready.settings);
    state = ready.isDone ? 'done' : 'paused';
  }
  showState();
  showCurves();
  if (state === 'paused') text('status', `Continued from step ${count(ready.step)}, where the page was closed.`);
}

function problem(message: string): void {
  part('problem').hidden = false;
  text('problem', message);
}

worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
  switch (data.kind) {
    case 'loading':
      text('status', `Loading MNIST: ${(data.received / 1e6).toFixed(1)} of ${(data.total / 1e6).toFixed(1)} MB.`);
      (part('progress') as HTMLProgressElement).value = data.received / data.total;
      break;
    case 'ready':
      showReady(data);
      break;
    case 'progress':
      progress = data;
      showProgress();
      break;
    case 'point':
      curves[data.curve].push(data.point);
      showCurves();
      break;
    case 'state':
      state = data.state;
      if (state === 'new') {
        curves = { loss: [], quick: [], full: [] };
        progress = null;
        showCurves();
      }
      showState();
      break;
    case 'maps':
      if (!hasDigit) break;
      views.show(data);
      if (data.note.startsWith('Test image')) text('picture-note', data.note);
      break;
    case 'weights':
      save(data.file);
      text(
        'weights-note',
        `${percent(data.accuracy)} of ${count(data.images)} test images. The same evaluation anywhere:`,
      );
      break;
    case 'note':
      if (data.about === 'picture') text('picture-note', data.message);
      else problem(`The training is not saved: ${data.message}`);
      break;
    case 'saved':
      part('status').dataset.saved = String(Date.now());
      break;
    case 'problem':
      problem(data.message);
  }
});
worker.addEventListener('error', ({ message }) => problem(`The worker failed: ${message || 'it could not start'}`));

function save(file: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'lenet-mnist.safetensors';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

button('run').addEventListener('click', () => {
  part('problem').hidden = true;
  ask({ kind: state === 'training' ? 'pause' : 'train' });
});
button('restart').addEventListener('click', () => {
  part('problem').hidden = true;
  ask({ kind: 'restart', settings: settings() });
});
button('download').addEventListener('click', () => ask({ kind: 'weights' }));
rate.addEventListener('input', () => {
  text('rate-value', String(learningRate()));
  ask({ kind: 'rate', learningRate: learningRate() });
});
part('settings').addEventListener('submit', (event) => event.preventDefault());
for (const id of ['optimizer', 'batch', 'epochs']) {
  part(id).addEventListener('change', () => {
    // Nothing is lost by it before the first step.
    if (state === 'new') ask({ kind: 'restart', settings: settings() });
  });
}

function forget(): void {
  hasDigit = false;
  text('picture-note', '');
  views.clear();
}

const pad = new Pad(part('pad') as HTMLCanvasElement, (picture) => {
  if (picture === null) forget();
  else {
    hasDigit = true;
    text('picture-note', '');
  }
  ask({ kind: 'digit', picture });
});
button('clear').addEventListener('click', () => pad.clear());
button('example').addEventListener('click', () => {
  pad.clear();
  hasDigit = true;
  ask({ kind: 'example' });
});

const file = part('file') as HTMLInputElement;
button('open').addEventListener('click', () => file.click());
file.addEventListener('change', () => {
  const [picture] = file.files ?? [];
  if (picture === undefined) return;
  pad.clear();
  hasDigit = true;
  text('picture-note', `Picture: ${picture.name}`);
  ask({ kind: 'digit', picture });
  file.value = '';
});

const video = part('video') as HTMLVideoElement;
button('camera').addEventListener('click', async () => {
  if (!video.hidden) return takePicture();
  try {
    const wanted = { video: { facingMode: 'environment' }, audio: false };
    video.srcObject = await navigator.mediaDevices.getUserMedia(wanted);
    video.hidden = false;
    await video.play();
    button('camera').textContent = 'Take the picture';
    text('picture-note', 'Hold one dark digit on light paper before the camera.');
  } catch (error) {
    text('picture-note', `The camera cannot be used: ${(error as Error).message}`);
  }
});

async function takePicture(): Promise<void> {
  const bitmap = await createImageBitmap(video);
  for (const track of (video.srcObject as MediaStream).getTracks()) track.stop();
  video.srcObject = null;
  video.hidden = true;
  button('camera').textContent = 'Camera';
  pad.clear();
  hasDigit = true;
  text('picture-note', 'Picture from the camera.');
  ask({ kind: 'digit', picture: bitmap }, [bitmap]);
}

part('unserved').hidden = true;
ask({ kind: 'open', data: new URL('data/', document.baseURI).href });
