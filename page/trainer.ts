/** The worker of the page: it holds the data and trains. */
import { CheckpointStore, engineInfo, vision } from 'fovea';
import { fetchDigits } from './digits.js';
import { Lesson } from './lesson.js';
import type { Answer, Request } from './protocol.js';

const tell = (answer: Answer) => postMessage(answer);
let lesson: Lesson | null = null;
let nextExample = 0;
let testDigit: (index: number) => vision.images.Digit = () => ({ image: new Float32Array(784), note: '' });

async function open(folder: string): Promise<void> {
  const data = await fetchDigits(folder, (received, total) => tell({ kind: 'loading', received, total }));
  const store = await CheckpointStore.open('lenet-mnist').catch((error: Error) => {
    tell({ kind: 'note', about: 'saving', message: error.message });
    return null;
  });
  lesson = new Lesson(data, store, tell);
  let resumed = false;
  try {
    resumed = await lesson.resume();
  } catch (error) {
    tell({ kind: 'note', about: 'saving', message: (error as Error).message });
  }
  testDigit = (index) => ({
    image: Float32Array.from(data.test.pixels(index), (value) => value / 255),
    note: `Test image ${index}: a ${data.test.labels[index]}.`,
  });
  const { description, threads } = engineInfo();
  tell({
    kind: 'ready',
    engine: `${description}; at most ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    trainImages: data.train.length,
    testImages: data.test.length,
    quickImages: lesson.quickImages,
    settings: resumed ? lesson.settings : null,
    curves: lesson.curves,
    step: lesson.step,
    isDone: lesson.isDone,
  });
}

async function answer(request: Request): Promise<void> {
  if (request.kind === 'open') return open(request.data);
  if (lesson === null) return;
  switch (request.kind) {
    case 'train':
      lesson.train();
      break;
    case 'pause':
      lesson.pause();
      break;
    case 'restart':
      await lesson.restart(request.settings);
      break;
    case 'rate':
      lesson.setRate(request.learningRate);
      break;
    case 'weights':
      lesson.giveWeights();
      break;
    case 'example':
      lesson.show(testDigit(nextExample++));
      break;
    case 'digit':
      await showPicture(request.picture);
  }
}

async function showPicture(picture: Blob | ImageBitmap | ImageData | null): Promise<void> {
  try {
    lesson?.show(picture === null ? null : await vision.images.readDigit(picture));
  } catch (error) {
    tell({ kind: 'note', about: 'picture', message: (error as Error).message });
  }
}

/** Requests are answered one after the other: a training that is asked for after a restart has its settings. */
let answered: Promise<void> = Promise.resolve();

addEventListener('message', ({ data }: MessageEvent<Request>) => {
  answered = answered
    .then(() => answer(data))
    .catch((error: Error) => tell({ kind: 'problem', message: error.message }));
});
