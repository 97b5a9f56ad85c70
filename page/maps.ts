import type { Maps } from './protocol.js';

/** Shows the input, the feature maps and the answer of the network. */
export class MapViews {
  readonly #input: HTMLCanvasElement;
  readonly #first: readonly HTMLCanvasElement[];
  readonly #second: readonly HTMLCanvasElement[];
  readonly #rows: readonly { readonly row: HTMLElement; readonly bar: HTMLElement; readonly share: HTMLElement }[];
  readonly #answer: HTMLElement;

  constructor(part: (id: string) => HTMLElement) {
    this.#input = part('input-map') as HTMLCanvasElement;
    this.#first = canvases(part('first-maps'), 6, 24);
    this.#second = canvases(part('second-maps'), 16, 8);
    this.#answer = part('answer');
    const list = part('classes');
    this.#rows = Array.from('0123456789', (digit) => {
      const row = document.createElement('li');
      row.innerHTML = `<span>${digit}</span><span class="bar"><span></span></span><span class="share">–</span>`;
      list.append(row);
      const [, bar, share] = row.children as unknown as HTMLElement[];
      return { row, bar: bar.firstElementChild as HTMLElement, share };
    });
    this.clear();
  }

  clear(): void {
    for (const canvas of [this.#input, ...this.#first, ...this.#second]) {
      canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
    }
    for (const { row, bar, share } of this.#rows) {
      row.className = '';
      bar.style.width = '0';
      share.textContent = '–';
    }
    this.#answer.textContent = 'draw a digit first.';
  }

  show({ input, first, second, probabilities }: Maps): void {
    paint(this.#input, input, [0, 1]);
    this.#first.forEach((canvas, i) => {
      paint(canvas, first.subarray(576 * i, 576 * (i + 1)));
    });
    this.#second.forEach((canvas, i) => {
      paint(canvas, second.subarray(64 * i, 64 * (i + 1)));
    });
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.#rows.forEach(({ row, bar, share }, digit) => {
      const percent = 100 * probabilities[digit];
      row.className = digit === best ? 'best' : '';
      bar.style.width = `${percent}%`;
      share.textContent = `${percent.toFixed(1)} %`;
    });
    const sure = probabilities[best] > 0.8 ? 'a' : probabilities[best] > 0.4 ? 'perhaps a' : 'a guess:';
    this.#answer.textContent = `${sure} ${best}.`;
  }
}

function canvases(place: HTMLElement, count: number, side: number): HTMLCanvasElement[] {
  return Array.from({ length: count }, () => {
    const canvas = document.createElement('canvas');
    canvas.width = side;
    canvas.height = side;
    place.append(canvas);
    return canvas;
  });
}

/** Paints values as grey, from black (the least) to white (the largest). */
function paint(
  canvas: HTMLCanvasElement,
  values: Float32Array,
  [least, largest] = [Math.min(...values), Math.max(...values)],
): void {
  const { width, height } = canvas;
  const image = new ImageData(width, height);
  const scale = largest > least ? 255 / (largest - least) : 0;
  values.forEach((value, i) => {
    image.data.fill((value - least) * scale, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  });
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
