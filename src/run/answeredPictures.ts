import { FileError, InputError } from '../errors.js';
import { formatShape, sameShape } from '../graph/shape.js';
import { noGrad } from '../tensor/noGrad.js';
import { Tensor } from '../tensor/tensor.js';
import type { TrainedRun } from './evaluate.js';
import { type PictureInput, probabilitiesUnder, readPicture, withName } from './predict.js';

/** A picture that could not be read. */
export interface UnreadPicture {
  readonly file: string;
  readonly error: FileError;
}

/** A picture as an input of the network, and the network's answer. */
interface AnsweredPicture {
  readonly file: string;
  readonly read: Exclude<Awaited<ReturnType<typeof readPicture>>, FileError>;
  /** `[1, C, H, W]` */
  readonly image: Tensor;
  readonly logits: Tensor;
  readonly probabilities: Float32Array;
  /** Number of the most probable class. */
  readonly predicted: number;
}

/**
 * Reads pictures one after the other, and asks the network about each.
 *
 * @param where names the caller in messages
 * @throws {InputError} for a picture whose shape the network does not take
 */
export async function* answeredPictures(
  where: string,
  { folder: { config }, network }: TrainedRun,
  pictures: readonly PictureInput[],
): AsyncGenerator<AnsweredPicture | UnreadPicture> {
  const { inputShape } = config.model;
  for (const [i, picture] of pictures.entries()) {
    const named = withName(picture, i, pictures.length);
    const read = await readPicture(config, named, null);
    if (read instanceof FileError) {
      yield { file: named.name, error: read };
      continue;
    }
    if (!sameShape(read.shape, inputShape)) {
      throw new InputError(
        `[${where}] image: expected ${formatShape(inputShape)} for this network, got ${formatShape(read.shape)}`,
      );
    }
    const image = Tensor.fromData(read.image, [1, ...inputShape]);
    const logits = noGrad(() => network.forward(image));
    const probabilities = await probabilitiesUnder(config, logits).data('float32');
    const predicted = probabilities.indexOf(Math.max(...probabilities));
    yield { file: named.name, read, image, logits, probabilities, predicted };
  }
}
