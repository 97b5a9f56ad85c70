import type { OutputInfo, Sharp } from 'sharp';
import { type Header, maxPixels } from './header.js';
import { loadSharp } from './sharp.js';

/** A part of a picture, in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Decodes a part of a picture into values of a color space and a type. */
export async function decoded(
  bytes: Uint8Array,
  { height, width }: Header,
  area: Area,
  prepare: (picture: Sharp) => Sharp,
  space: string,
  depth: string,
): Promise<{ readonly data: Uint8Array; readonly info: OutputInfo }> {
  const sharp = await loadSharp();
  let pipeline = sharp(bytes, {
    // Every warning is an error, since the decoder would otherwise fill up a truncated picture with grey.
    failOn: 'warning',
    limitInputPixels: maxPixels,
    ignoreIcc: true,
    sequentialRead: true,
  });
  if (space === 'cmyk') pipeline = pipeline.pipelineColourspace('cmyk');
  if (area.height < height || area.width < width) pipeline = pipeline.extract(area);
  return prepare(pipeline.toColourspace(space))
    .raw({ depth: depth as 'uchar' })
    .toBuffer({ resolveWithObject: true });
}
