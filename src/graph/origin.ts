/** Where nodes come from, for profiles and error messages. No part of a graph's structure: programs are shared by it. */
export class Origin {
  /** Made by no layer: a loss, an update. */
  static readonly none = new Origin('', false);
  #gradient: Origin | null = null;

  constructor(
    /** Name of the layer as in the parameters' names (`layer1.0.conv1`). */
    readonly layer: string,
    /** Whether the node belongs to the gradient. */
    readonly backward = false,
  ) {}

  /** That of the nodes which compute the gradient of this one's. */
  get gradient(): Origin {
    this.#gradient ??= this.backward ? this : new Origin(this.layer, true);
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
