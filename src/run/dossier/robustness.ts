import type { BinaryScores } from '../../statistics/index.js';
import { adjustBrightness } from '../../vision/transforms/color.js';
import type { Raster } from '../../vision/transforms/raster.js';
import type { TransformFunction, TransformSpec } from '../../vision/transforms/transform.js';
import type { Split } from '../catalog/datasets.js';
import { binaryScores } from '../decision.js';
import { evaluateRun, type TrainedRun } from '../evaluate.js';
import type { PositiveClass } from '../positive.js';
import { jpegLoss } from './jpeg.js';

/** A change of the pictures that a robust network tolerates. */
interface PictureChange {
  readonly name: string;
  readonly first: readonly (TransformSpec | TransformFunction)[];
}

/** Half the resolution, as a blur; compression; other brightness; a smaller field of view. */
function changesFor(height: number, width: number): PictureChange[] {
  const part = (share: number): [number, number] => [Math.round(share * height), Math.round(share * width)];
  const whole: TransformSpec = { Resize: { size: [height, width] } };
  return [
    { name: 'as they are', first: [] },
    { name: 'blurred: half the resolution', first: [{ Resize: { size: part(0.5) } }, whole] },
    { name: 'JPEG, quality 50', first: [(image: Raster) => jpegLoss(image, 50)] },
    { name: 'darker by 20 %', first: [(image: Raster) => adjustBrightness(image, 0.8)] },
    { name: 'brighter by 20 %', first: [(image: Raster) => adjustBrightness(image, 1.2)] },
    { name: 'cropped by 10 %', first: [{ CenterCrop: { size: part(0.9) } }, whole] },
  ];
}

/** The scores of a network for its pictures after each change. */
export async function robustnessOf(
  run: TrainedRun,
  split: Split,
  positive: PositiveClass,
  onProgress?: (name: string) => void,
): Promise<{ readonly name: string; readonly scores: BinaryScores }[]> {
  const { images } = run.folder.config.data;
  const [, height, width] = images === null ? run.folder.config.model.inputShape : [0, images.height, images.width];
  const found: { name: string; scores: BinaryScores }[] = [];
  for (const { name, first } of changesFor(height, width)) {
    onProgress?.(name);
    found.push({ name, scores: binaryScores(await evaluateRun(run, { split, first }), positive) });
  }
  return found;
}
