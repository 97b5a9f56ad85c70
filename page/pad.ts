/** The field for a digit: dark ink on white paper, by pointer or keyboard. */
export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #changed: (picture: ImageData | null) => void;
  #pointer: number | null = null;
  #last: readonly [number, number] | null = null;
  /** The pen of the keyboard. */
  #pen = { x: 140, y: 60, isDown: false };
  /** The ink, without the mark of the pen. */
  #drawing: ImageData;
  #isEmpty = true;

  constructor(canvas: HTMLCanvasElement, changed: (picture: ImageData | null) => void) {
    this.#canvas = canvas;
    this.#changed = changed;
    this.#context = canvas.getContext('2d', { willReadFrequently: true }) as CanvasRenderingContext2D;
    this.#context.lineWidth = 22;
    this.#context.lineCap = 'round';
    this.#context.lineJoin = 'round';
    this.#drawing = this.#blank();
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const kind of ['pointerup', 'pointercancel'] as const) {
      canvas.addEventListener(kind, () => {
        this.#pointer = null;
        this.#last = null;
      });
    }
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('focus', () => {
      if (canvas.matches(':focus-visible')) this.#showPen();
    });
    canvas.addEventListener('blur', () => {
      this.#pen.isDown = false;
      this.#hidePen();
    });
  }

  clear(): void {
    this.#drawing = this.#blank();
    this.#isEmpty = true;
    this.#pen = { x: 140, y: 60, isDown: false };
    this.#changed(null);
  }

  #blank(): ImageData {
    const { width, height } = this.#canvas;
    this.#context.fillStyle = '#fff';
    this.#context.fillRect(0, 0, width, height);
    return this.#context.getImageData(0, 0, width, height);
  }

  #down(event: PointerEvent): void {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#hidePen();
    const at = this.#placeOf(event);
    this.#stroke(at, at);
    this.#last = at;
  }

  #move(event: PointerEvent): void {
    if (event.pointerId !== this.#pointer || this.#last === null) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length > 0 ? moves : [event]) {
      const at = this.#placeOf(move);
      this.#stroke(this.#last, at);
      this.#last = at;
    }
  }

  #placeOf({ clientX, clientY }: PointerEvent): readonly [number, number] {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return [((clientX - left) * this.#canvas.width) / width, ((clientY - top) * this.#canvas.height) / height];
  }

  #stroke(from: readonly [number, number], to: readonly [number, number]): void {
    const { width, height } = this.#canvas;
    this.#context.strokeStyle = '#111';
    this.#context.beginPath();
    this.#context.moveTo(...from);
    this.#context.lineTo(...to);
    this.#context.stroke();
    this.#drawing = this.#context.getImageData(0, 0, width, height);
    this.#isEmpty = false;
    this.#changed(this.#drawing);
  }

  #key(event: KeyboardEvent): void {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    };
    const move = moves[event.key];
    const { width, height } = this.#canvas;
    if (move !== undefined) {
      const from = [this.#pen.x, this.#pen.y] as const;
      const within = (value: number, most: number) => Math.max(14, Math.min(most - 14, value));
      this.#pen.x = within(this.#pen.x + 10 * move[0], width);
      this.#pen.y = within(this.#pen.y + 10 * move[1], height);
      this.#hidePen();
      if (this.#pen.isDown) this.#stroke(from, [this.#pen.x, this.#pen.y]);
    } else if (event.key === ' ') {
      this.#pen.isDown = !this.#pen.isDown;
      this.#hidePen();
      if (this.#pen.isDown) this.#stroke([this.#pen.x, this.#pen.y], [this.#pen.x, this.#pen.y]);
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else return;
    event.preventDefault();
    this.#showPen();
  }

  #showPen(): void {
    const { x, y, isDown } = this.#pen;
    this.#context.save();
    this.#context.lineWidth = 3;
    this.#context.strokeStyle = isDown ? '#d9480f' : '#1c5f86';
    this.#context.beginPath();
    this.#context.arc(x, y, 11, 0, 2 * Math.PI);
    this.#context.stroke();
    this.#context.restore();
  }

  #hidePen(): void {
    this.#context.putImageData(this.#drawing, 0, 0);
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }
}
