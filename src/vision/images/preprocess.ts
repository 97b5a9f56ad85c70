import { type RGBImage, toCHW } from '../transforms/image.js';
import { AreaResizer, bilinearTaps, type PixelLayout, sampleBilinear } from '../transforms/resize.js';
import { decoding } from './budget.js';
import { PictureFile, type PictureSource, turned } from './decode.js';
import { middleOf, type Preprocessed, type PreprocessOptions, placed, preprocessing } from './preprocessing.js';

export {
  type Fit,
  fits,
  optionsOf,
  type Preprocessed,
  type Preprocessing,
  type PreprocessOptions,
  preprocessing,
} from './preprocessing.js';

/** Limit for pixels of a picture in memory. Larger pictures are decoded once for each part, from the top. */
const maxPartBytes = 2 ** 27;

/**
 * Decodes and resizes a picture, and puts its channels first. With the order 'BGR' the result has the bytes
 * of `cv2.imread`, `cv2.resize` and a transposition. `normalizeInto` converts it to float32 from −1 to 1.
 *
 * Pictures may have up to 20,000 × 20,000 pixels. At most `partBytes` of their pixels are in memory (128 MB).
 *
 * @param source path, `file:` URL, or the contents of a file
 * @throws {FileError} if it cannot be read, is no picture, is truncated or broken, or too large
 *
 * @example
 * ```ts
 * const photo = await vision.images.preprocess('photo.jpg', { size: 224, fit: 'crop' });
 * console.log(photo.pixels.length); // 3 · 224 · 224
 * ```
 */
export async function preprocess(
  source: PictureSource,
  options: PreprocessOptions = {},
  partBytes = maxPartBytes,
): Promise<Preprocessed> {
  return preprocessPicture(await PictureFile.open(source), options, partBytes);
}

/** The same for an open picture. @throws {FileError} if it is truncated or broken */
export async function preprocessPicture(
  picture: PictureFile,
  options: PreprocessOptions = {},
  partBytes = maxPartBytes,
): Promise<Preprocessed> {
  const { height, width, order, antialias, fit } = preprocessing(options);
  const size = { height, width };
  const shown = fit === 'crop' ? picture.within(middleOf(picture, size)) : picture;
  const place = fit === 'pad' ? middleOf(size, picture) : { top: 0, left: 0, ...size };
  const resize = antialias ? resizeArea : resizeNearby;
  const pixels = Math.min(partBytes, 3 * shown.fileHeight * shown.fileWidth) * (picture.pixelBytes / 3);
  const part = await decoding.use(picture.bytes + pixels, () => resize(shown, place.height, place.width, partBytes));
  const image = place.height === height && place.width === width ? part : placed(part, place, size);
  return { pixels: toCHW(image, order), ...size, sourceHeight: picture.height, sourceWidth: picture.width };
}

async function resizeArea(picture: PictureFile, height: number, width: number, partBytes: number): Promise<RGBImage> {
  const { fileHeight, fileWidth, orientation } = picture;
  // The filter gives the same result in both directions, so it is enough to turn the small result.
  const [rows, columns] = orientation.transposed ? [width, height] : [height, width];
  const resizer = new AreaResizer(fileHeight, fileWidth, rows, columns, orientation.transposed);
  const part = Math.max(1, Math.floor(partBytes / (3 * fileWidth)));
  for (let first = 0; first < fileHeight; first += part) {
    const count = Math.min(part, fileHeight - first);
    resizer.add(await picture.readRows(first, count), first, count);
  }
  return turned(resizer.result(), orientation);
}

async function resizeNearby(picture: PictureFile, height: number, width: number, partBytes: number): Promise<RGBImage> {
  const { fileHeight, fileWidth, orientation } = picture;
  const { transposed, mirrored, upsideDown } = orientation;
  const rows = bilinearTaps(picture.height, height);
  const columns = bilinearTaps(picture.width, width);
  const data = new Uint8Array(3 * height * width);
  // Along this axis of the output, the rows of the file are in order, or in reverse order if `backwards`.
  const taps = transposed ? columns : rows;
  const backwards = transposed ? mirrored : upsideDown;
  const length = taps.first.length;
  const fileRow = (position: number) => (backwards ? fileHeight - 1 - position : position);
  const most = Math.max(2, Math.floor(partBytes / (3 * fileWidth)));
  for (let begin = 0; begin < length; ) {
    let end = begin + 1;
    while (end < length && taps.second[end] - taps.first[begin] < most) end++;
    const [one, other] = [fileRow(taps.first[begin]), fileRow(taps.second[end - 1])];
    const top = Math.min(one, other);
    const part = await picture.readRows(top, Math.abs(one - other) + 1);
    const layout = layoutOf(picture, top);
    const region = transposed
      ? { top: 0, bottom: height, left: begin, right: end }
      : { top: begin, bottom: end, left: 0, right: width };
    sampleBilinear(part, layout, rows, columns, region, data, width);
    begin = end;
  }
  return { data, height, width };
}

/** The places of the displayed picture's pixels in the file's rows from `top` on. */
function layoutOf({ height, width, fileWidth, orientation }: PictureFile, top: number): PixelLayout {
  const { transposed, mirrored, upsideDown } = orientation;
  const [acrossRow, alongRow] = transposed ? [3, 3 * fileWidth] : [3 * fileWidth, 3];
  const origin = (upsideDown ? (height - 1) * acrossRow : 0) + (mirrored ? (width - 1) * alongRow : 0);
  return {
    origin: origin - 3 * fileWidth * top,
    down: upsideDown ? -acrossRow : acrossRow,
    right: mirrored ? -alongRow : alongRow,
  };
}
