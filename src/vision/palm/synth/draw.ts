import { RandomGenerator } from '../../../random.js';
import { loadSharp } from '../../images/sharp.js';
import { photograph, type Shot, takeShot, toPixel } from './camera.js';
import { drawEye, type EyeKind } from './eye.js';
import { paint } from './paint.js';

/** One picture to draw. The result depends on nothing else. */
export interface FundusJob {
  readonly seed: number;
  /** Number of the picture among all of a seed. */
  readonly stream: number;
  readonly kind: EyeKind;
  readonly camera: Shot['camera'];
  /** Width in pixels. */
  readonly size: number;
}

/** A JPEG file. */
export type Fundus = Uint8Array;

/** Draws a photograph of a fundus. */
export async function drawFundus(job: FundusJob): Promise<Fundus> {
  const random = generatorOf(job);
  const eye = drawEye(job.kind, random.fork('eye'));
  const shot = shotOf(job);
  const planes = paint(eye, shot, random.fork('paint'));
  const pixels = await photograph(planes, shot, random.fork('grain'));
  const { width, height } = shot;
  const sharp = await loadSharp();
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .withExif({ IFD0: { ImageDescription: 'SYNTHETIC: drawn by Fovea, not a photograph', Software: 'Fovea' } })
    .jpeg({ quality: shot.quality, chromaSubsampling: '4:2:0' })
    .toBuffer();
}

/** Where the fovea of a picture is, in pixels. */
export function foveaOf(job: FundusJob): readonly [number, number] {
  return toPixel(shotOf(job), 0, 0);
}

function shotOf(job: FundusJob): Shot {
  return takeShot(job.camera, job.size, generatorOf(job).fork('shot'));
}

/** A fork does not change the generator, so every part of a picture may make its own one. */
function generatorOf({ seed, stream }: FundusJob): RandomGenerator {
  return new RandomGenerator(seed, stream + 1);
}
