/** Part of a training step. */
export type StepPart = 'forward' | 'backward' | 'update';

/**
 * Where nodes come from, for profiles and error messages. No part of a graph's structure: programs are shared
 * by it.
 */
export class Origin {
  /** Made by no layer, such as a loss. */
  static readonly none = new Origin('');
  /** Made by an optimizer. */
  static readonly update = new Origin('', 'update');
  #gradient: Origin | null = null;

  constructor(
    /** Name of the layer as in the parameters' names (`layer1.0.conv1`). */
    readonly layer: string,
    readonly part: StepPart = 'forward',
  ) {}

  /** That of the nodes which compute the gradient of this one's. */
  get gradient(): Origin {
    this.#gradient ??= this.part === 'backward' ? this : new Origin(this.layer, 'backward');
    return this.#gradient;
  }
}

let current = Origin.none;

/** The origin of the nodes that are made now. */
export function currentOrigin(): Origin {
  return current;
}

/** Sets the origin of the nodes that are made from now on; returns the one before, to be set again. */
export function setOrigin(origin: Origin): Origin {
  const before = current;
  current = origin;
  return before;
}

/** Runs `body`, whose nodes come from `origin`. */
export function withOrigin<T>(origin: Origin, body: () => T): T {
  const before = setOrigin(origin);
  try {
    return body();
  } finally {
    current = before;
  }
}
