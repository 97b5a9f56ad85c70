import { describe, expect, it } from 'vitest';
import * as color from '../../src/vision/transforms/color.js';
import * as geometry from '../../src/vision/transforms/geometry.js';
import { type Raster, type RasterData, withLayout } from '../../src/vision/transforms/raster.js';
import { goldenTransforms, type MadeImage, type TransformCase } from './transforms.js';

const functions = { ...color, ...geometry } as unknown as Readonly<
  Record<string, (image: Raster, ...rest: readonly unknown[]) => Raster>
>;

/** The images of make_transforms.py. */
function made([kind, height, width, channels]: MadeImage): Raster {
  let state = height * 65536 + width;
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    if (kind === 'smooth') return Math.floor(pixel / width) * 9 + (pixel % width) * 5 + (i % channels) * 60;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { data, height, width, channels, layout: 'HWC' };
}

function wanted({ uint8, float32 }: TransformCase): RasterData {
  if (float32 === undefined) return new Uint8Array(Buffer.from(uint8 ?? '', 'base64'));
  return new Float32Array(new Uint8Array(Buffer.from(float32, 'base64')).buffer);
}

/** Names the case in the list of tests. */
const title = ({ name, image, arguments: rest }: TransformCase) => `${name} ${image.join(' ')} ${JSON.stringify(rest)}`;

describe("functions give Paddle's bytes", () => {
  it.each(goldenTransforms.cases.map((each) => [title(each), each] as const))('%s', (_, each) => {
    const result = functions[each.name](made(each.image), ...each.arguments);
    const { layout, height, width, channels } = result;
    expect(layout === 'HWC' ? [height, width, channels] : [channels, height, width]).toEqual(each.shape);
    expect(result.data).toEqual(wanted(each));
  });

  it.each(goldenTransforms.cases.filter(({ name }) => name !== 'toTensor').map((each) => [title(each), each] as const))(
    'with channels first: %s',
    (_, each) => {
      const result = functions[each.name](withLayout(made(each.image), 'CHW'), ...each.arguments);
      expect(result.layout).toBe('CHW');
      expect(withLayout(result, 'HWC').data).toEqual(wanted(each));
    },
  );
});
