import type { Point } from './protocol.js';

interface Series {
  readonly points: readonly Point[];
  readonly color: string;
  readonly dots?: boolean;
}

interface CurveOptions {
  readonly series: () => readonly Series[];
  /** Ends of the vertical axis for the values that are shown. */
  readonly range: (values: readonly number[]) => readonly [least: number, largest: number];
  readonly format: (value: number) => string;
}

const margin = { left: 52, right: 12, top: 10, bottom: 24 };

/** A curve over the steps of the training. */
export class Curve {
  readonly #canvas: HTMLCanvasElement;
  readonly #options: CurveOptions;
  #isAsked = false;

  constructor(canvas: HTMLCanvasElement, options: CurveOptions) {
    this.#canvas = canvas;
    this.#options = options;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  /** Repaints with the next picture of the screen. */
  draw(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    requestAnimationFrame(() => {
      this.#isAsked = false;
      this.#draw();
    });
  }

  #draw(): void {
    const canvas = this.#canvas;
    const { clientWidth, clientHeight } = canvas;
    if (clientWidth === 0) return;
    canvas.width = Math.round(clientWidth * devicePixelRatio);
    canvas.height = Math.round(clientHeight * devicePixelRatio);
    const to = canvas.getContext('2d') as CanvasRenderingContext2D;
    to.scale(devicePixelRatio, devicePixelRatio);
    const style = getComputedStyle(canvas);
    const color = (name: string) => style.getPropertyValue(name);
    const all = this.#options.series();
    const points = all.flatMap((series) => series.points);
    const [least, largest] = this.#options.range(points.map(([, value]) => value));
    const lastStep = Math.max(1000, ...points.map(([step]) => step));
    const x = (step: number) => margin.left + (step / lastStep) * (clientWidth - margin.left - margin.right);
    const y = (value: number) =>
      margin.top + ((largest - value) / (largest - least)) * (clientHeight - margin.top - margin.bottom);
    to.font = `12px ${style.fontFamily}`;
    to.fillStyle = color('--soft');
    to.strokeStyle = color('--line');
    to.textAlign = 'right';
    to.textBaseline = 'middle';
    for (let i = 0; i <= 4; i++) {
      const value = least + ((largest - least) * i) / 4;
      to.fillText(this.#options.format(value), margin.left - 8, y(value));
      line(to, [margin.left, y(value)], [clientWidth - margin.right, y(value)]);
    }
    to.textBaseline = 'alphabetic';
    to.fillText(`${lastStep.toLocaleString('en')} steps`, clientWidth - margin.right, clientHeight - 6);
    to.textAlign = 'left';
    to.fillText('0', margin.left, clientHeight - 6);
    for (const { points: own, color: name, dots = false } of all) {
      to.strokeStyle = color(name);
      to.fillStyle = color(name);
      to.lineWidth = 2;
      to.beginPath();
      for (const [step, value] of own) {
        if (dots) {
          to.moveTo(x(step), y(value));
          to.arc(x(step), y(value), 4, 0, 2 * Math.PI);
        } else to.lineTo(x(step), y(value));
      }
      if (dots) to.fill();
      else to.stroke();
    }
    const latest = all.flatMap((series) => series.points.slice(-1));
    if (latest.length > 0) {
      const text = latest.map(([step, value]) => `${this.#options.format(value)} at step ${step}`).join('; ');
      canvas.setAttribute('aria-label', `${canvas.dataset.name}: ${text}`);
    }
  }
}

type Place = readonly [x: number, y: number];

function line(to: CanvasRenderingContext2D, from: Place, end: Place): void {
  to.lineWidth = 1;
  to.beginPath();
  to.moveTo(...from);
  to.lineTo(...end);
  to.stroke();
}
