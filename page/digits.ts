import { io } from 'fovea';

/** MNIST's images as bytes in memory. */
export class Digits implements io.Dataset {
  readonly length: number;
  readonly labels: Uint8Array;
  readonly #pixels: Uint8Array;

  constructor(pixels: Uint8Array, labels: Uint8Array) {
    this.length = labels.length;
    this.labels = labels;
    this.#pixels = pixels;
  }

  get(index: number): io.Sample {
    const image = Float32Array.from(this.pixels(index), (value) => value / 255);
    return { image, shape: [1, 28, 28], label: this.labels[index] };
  }

  readBatch(indices: Uint32Array, _randoms?: unknown, memory?: Float32Array): io.Batch {
    const images = memory?.length === 784 * indices.length ? memory : new Float32Array(784 * indices.length);
    indices.forEach((index, i) => {
      const pixels = this.pixels(index);
      for (let p = 0; p < 784; p++) images[784 * i + p] = pixels[p] / 255;
    });
    const labels = Int32Array.from(indices, (index) => this.labels[index]);
    return { images, shape: [indices.length, 1, 28, 28], labels };
  }

  pixels(index: number): Uint8Array {
    return this.#pixels.subarray(784 * index, 784 * (index + 1));
  }
}

const files = {
  train: ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz'],
  test: ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'],
} as const;

/**
 * Fetches the training and the test images.
 *
 * @param folder address of the folder with the files and `sizes.json`
 * @param onProgress bytes that have come, and all
 */
export async function fetchDigits(folder: string, onProgress: (received: number, total: number) => void) {
  const sizes = (await (await answerOf(`${folder}sizes.json`)).json()) as Readonly<Record<string, number>>;
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  let received = 0;
  const read = async (name: string) => {
    const bytes = await bytesOf(await answerOf(folder + name), (count) => {
      received += count;
      onProgress(Math.min(received, total), total);
    });
    // Some servers unpack files themselves.
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? unpacked(bytes) : bytes;
  };
  const open = async ([images, labels]: readonly [string, string]) => {
    const [pixels, classes] = await Promise.all([read(images), read(labels)]);
    return new Digits(io.decodeIdx(pixels, 3, images).data, io.decodeIdx(classes, 1, labels).data);
  };
  const [train, test] = await Promise.all([open(files.train), open(files.test)]);
  return { train, test };
}

async function answerOf(address: string): Promise<Response> {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: the server answered ${answer.status} ${answer.statusText}`);
  return answer;
}

async function bytesOf(answer: Response, onBytes: (count: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    onBytes(value.length);
  }
}

async function unpacked(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
