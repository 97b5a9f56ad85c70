import type { DownloadProgress } from '../../io/files/download.js';
import type { TensorData } from '../../io/formats/tensorData.js';

/** Parameters and buffers of a network, from a file. */
export interface NetworkWeights {
  /** Path of the file, or its address. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

/** `#weights`, which package.json resolves to `node.ts` in Node and to `browser.ts` elsewhere. */
export interface WeightSource {
  /**
   * Loads pretrained weights.
   *
   * @param name Paddle's name of the network, for messages and to find Paddle's file
   * @param pretrained `true` for Paddle's weights, or the path or address of a `.safetensors` or `.pdparams`
   * file
   * @param onDownload called while Paddle's weights are downloaded
   * @throws {FileError} for a file that cannot be read or downloaded, or is neither of the two formats
   * @throws {InputError} for `true` where Paddle's weights cannot be downloaded
   */
  loadWeights(
    name: string,
    pretrained: true | string,
    onDownload?: (progress: DownloadProgress) => void,
  ): Promise<NetworkWeights>;
}

/** The format of a file of weights by its ending; `null` for another ending. */
export function formatOf(path: string): 'safetensors' | 'pdparams' | null {
  const [, ending] = /\.(safetensors|pdparams)$/i.exec(path) ?? [];
  return (ending?.toLowerCase() ?? null) as 'safetensors' | 'pdparams' | null;
}
