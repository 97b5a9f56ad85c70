import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError, ShapeError } from '../../../src/errors.js';
import { RandomGenerator } from '../../../src/random.js';
import { resize } from '../../../src/vision/transforms/geometry.js';
import {
  ColorJitter,
  Compose,
  crop,
  hflip,
  Normalize,
  parseTransforms,
  RandomAffine,
  RandomCrop,
  RandomErasing,
  RandomHorizontalFlip,
  RandomResizedCrop,
  RandomRotation,
  RandomVerticalFlip,
  type Raster,
  Resize,
  ToTensor,
  Transpose,
} from '../../../src/vision/transforms/index.js';
import { withLayout } from '../../../src/vision/transforms/raster.js';
import {
  fixedTransformNames,
  makesFloats,
  makeTransform,
  optionNames,
  transformNames,
} from '../../../src/vision/transforms/registry.js';
import { goldenTransforms } from '../../goldens/transforms.js';

/** Every pixel has a colour of its own. */
function picture(height = 20, width = 30, channels = 3): Raster {
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 7 + (i >> 8) * 13) & 255);
  return { data, height, width, channels, layout: 'HWC' };
}

/** Pictures whose values are the number of the column, or of the row. */
const columns = (height: number, width: number): Raster => ({
  data: Uint8Array.from({ length: height * width }, (_, i) => i % width),
  ...{ height, width, channels: 1, layout: 'HWC' },
});
const rows = (height: number, width: number): Raster => ({
  data: Uint8Array.from({ length: height * width }, (_, i) => Math.floor(i / width)),
  ...{ height, width, channels: 1, layout: 'HWC' },
});

/** Each transform with values for what it needs. */
const needed: Readonly<Record<string, Record<string, unknown>>> = {
  Resize: { size: 8 },
  CenterCrop: { size: 8 },
  RandomCrop: { size: 8 },
  RandomResizedCrop: { size: 8 },
  RandomRotation: { degrees: 30 },
  RandomAffine: { degrees: 30, translate: [0.1, 0.2], scale: [0.8, 1.3], shear: [-5, 5, 0, 9] },
  Pad: { padding: [1, 2, 3, 4] },
  BrightnessTransform: { value: 0.5 },
  ContrastTransform: { value: 0.5 },
  SaturationTransform: { value: 0.5 },
  HueTransform: { value: 0.5 },
  ColorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 },
  RandomErasing: { prob: 1, value: 'random' },
};

const many = <T>(count: number, work: (random: RandomGenerator) => T): T[] =>
  Array.from({ length: count }, (_, i) => work(new RandomGenerator(1, i + 1)));
const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('every transform', () => {
  it.each(transformNames)('%s has the options and defaults of Paddle', (name) => {
    const paddles = goldenTransforms.parameters[name].filter(([option]) => option !== 'keys');
    // The layout is known here, and nothing is ever overwritten.
    const left = name === 'Normalize' ? ['dataFormat'] : name === 'RandomErasing' ? ['inplace'] : [];
    const options = paddles.filter(([option]) => !left.includes(option as string));
    expect(optionNames(name)).toEqual(options.map(([option]) => option));
    const defaults = Object.fromEntries(options.filter((option) => option.length === 2) as [string, unknown][]);
    const required = Object.fromEntries(
      Object.entries(needed[name] ?? {}).filter(([option]) => !Object.hasOwn(defaults, option)),
    );
    expect(makeTransform(name, required)).toEqual(makeTransform(name, { ...defaults, ...required }));
  });

  it.each(transformNames)('%s gives the same for the same generator, and leaves its input alone', (name) => {
    const transform = makeTransform(name, needed[name] ?? {});
    const image = picture();
    const results = many(6, (random) => transform.apply(image, random));
    expect(image).toEqual(picture());
    expect(many(6, (random) => transform.apply(image, random))).toEqual(results);
    // A transform gives the same each time if and only if it is not random.
    expect(new Set(results.map(({ data }) => data.join())).size > 1).toBe(transform.isRandom);
    expect(fixedTransformNames.includes(name)).toBe(!transform.isRandom);
    for (const { data, height, width, channels } of results) expect(data.length).toBe(height * width * channels);
  });

  it.each(transformNames)('%s is listed as one that makes floats if it does', (name) => {
    // The layout alone changes in Transpose, which comes after the values are set.
    if (name === 'Transpose') expect(makesFloats(name)).toBe(true);
    else {
      const { data } = makeTransform(name, needed[name] ?? {}).apply(picture(), new RandomGenerator(1));
      expect(data instanceof Float32Array).toBe(makesFloats(name));
    }
  });

  it.each(transformNames)('%s is the same again from its JSON', (name) => {
    const transform = makeTransform(name, needed[name] ?? {});
    const copy = parseTransforms(JSON.parse(JSON.stringify(transform)));
    expect(copy.transforms).toEqual([transform]);
    expect(copy.apply(picture(), new RandomGenerator(3))).toEqual(transform.apply(picture(), new RandomGenerator(3)));
  });

  it.each(transformNames.filter((name) => !['ToTensor', 'Transpose'].includes(name)))(
    '%s does the same where the channels are first',
    (name) => {
      const transform = makeTransform(name, needed[name] ?? {});
      const first = transform.apply(withLayout(picture(), 'CHW'), new RandomGenerator(5));
      expect(first.layout).toBe('CHW');
      expect(withLayout(first, 'HWC')).toEqual(transform.apply(picture(), new RandomGenerator(5)));
    },
  );
});

describe('random samples', () => {
  it('flips as often as it should', () => {
    for (const [transform, image, at] of [
      [new RandomHorizontalFlip(0.3), columns(1, 2), 0],
      [new RandomVerticalFlip(0.3), rows(2, 1), 0],
    ] as const) {
      const flipped = many(2000, (random) => transform.apply(image, random).data[at]);
      // Four standard deviations of a share of 2000.
      expect(Math.abs(mean(flipped) - 0.3)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 2000));
    }
    expect(many(50, (random) => new RandomHorizontalFlip(0).apply(columns(1, 2), random).data[0])).not.toContain(1);
    expect(many(50, (random) => new RandomHorizontalFlip(1).apply(columns(1, 2), random).data[0])).not.toContain(0);
  });

  it('RandomCrop takes every place equally often', () => {
    const counts = new Array<number>(5).fill(0);
    for (const left of many(2000, (random) => new RandomCrop([3, 6]).apply(columns(8, 10), random).data[0])) {
      counts[left]++;
    }
    for (const count of counts) expect(Math.abs(count - 400)).toBeLessThan(4 * Math.sqrt(2000 * 0.2 * 0.8));
    const tops = new Set(many(300, (random) => new RandomCrop([3, 6]).apply(rows(8, 10), random).data[0]));
    expect([...tops].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const shifted = many(500, (random) => new RandomCrop(4, { padding: 2, fill: 9 }).apply(columns(4, 4), random));
    expect(new Set(shifted.map(({ data }) => data.join())).size).toBe(25);
    expect(new RandomCrop(30, { padIfNeeded: true }).apply(picture(), new RandomGenerator(0))).toMatchObject({
      height: 30,
      width: 30,
    });
  });

  it('RandomResizedCrop has its area and proportions in range, evenly', () => {
    const image = columns(60, 80);
    const transform = new RandomResizedCrop([60, 80], { scale: [0.2, 0.6], ratio: [0.5, 2], interpolation: 'nearest' });
    // The first and the last column and row show which part was cut out.
    const parts = many(600, (random) => {
      const state = random.state();
      const across = transform.apply(image, random).data;
      const down = transform.apply(rows(60, 80), RandomGenerator.fromState(state)).data;
      const width = across[across.length - 1] - across[0] + 1;
      return { width, height: down[down.length - 1] - down[0] + 1 };
    });
    const areas = parts.map(({ width, height }) => (width * height) / 4800);
    const ratios = parts.map(({ width, height }) => width / height);
    expect(Math.min(...areas)).toBeGreaterThan(0.18);
    expect(Math.max(...areas)).toBeLessThan(0.63);
    expect(Math.min(...ratios)).toBeGreaterThan(0.46);
    expect(Math.max(...ratios)).toBeLessThan(2.15);
    expect(mean(areas)).toBeCloseTo(0.4, 1);
    expect(Math.abs(mean(ratios.map(Math.log)))).toBeLessThan(0.12);
  });

  it('RandomResizedCrop takes the largest part of the middle where nothing fits', () => {
    const transform = new RandomResizedCrop([4, 4], { scale: [1, 1], ratio: [1, 1], interpolation: 'nearest' });
    expect([...transform.apply(columns(4, 12), new RandomGenerator(0)).data.subarray(0, 4)]).toEqual([4, 5, 6, 7]);
    expect([...transform.apply(rows(12, 4), new RandomGenerator(0)).data.subarray(0, 5)]).toEqual([4, 4, 4, 4, 5]);
  });

  it('RandomAffine shifts by whole pixels within its shares, scales within its range', () => {
    const shifts = many(400, (random) => {
      const { data } = new RandomAffine(0, { translate: [0.2, 0], fill: 99 }).apply(columns(1, 30), random);
      return data.indexOf(0) >= 0 ? data.indexOf(0) : -data[0];
    });
    expect(Math.max(...shifts)).toBe(5);
    expect(Math.min(...shifts)).toBe(-5);
    expect(Math.abs(mean(shifts))).toBeLessThan(0.7);
    const scaled = new RandomAffine(0, { scale: [2, 2] }).apply(columns(4, 8), new RandomGenerator(0));
    expect([...scaled.data.subarray(0, 8)]).toEqual([2, 2, 3, 3, 4, 4, 5, 5]);
  });

  it('RandomRotation turns counterclockwise within its range', () => {
    const quarter = new RandomRotation([90, 90]).apply(columns(4, 4), new RandomGenerator(0));
    expect([...quarter.data.subarray(0, 4)]).toEqual([3, 3, 3, 3]);
    expect(new RandomRotation(0).apply(picture(), new RandomGenerator(0))).toEqual(picture());
    const sizes = many(100, (random) => new RandomRotation([10, 20], { expand: true }).apply(picture(40, 40), random));
    const expected = (angle: number) => 40 * (Math.cos((angle * Math.PI) / 180) + Math.sin((angle * Math.PI) / 180));
    for (const { width } of sizes) {
      expect(width).toBeGreaterThanOrEqual(Math.floor(expected(10)));
      expect(width).toBeLessThanOrEqual(Math.ceil(expected(20)) + 1);
    }
  });

  it('ColorJitter samples each factor in its range, in random order', () => {
    const grey: Raster = { data: Uint8Array.of(100, 100, 100), height: 1, width: 1, channels: 3, layout: 'HWC' };
    const values = many(500, (random) => new ColorJitter({ brightness: 0.3 }).apply(grey, random).data[0]);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(70);
    expect(Math.max(...values)).toBeLessThanOrEqual(130);
    expect(Math.abs(mean(values) - 99.5)).toBeLessThan((4 * 60) / Math.sqrt(12 * 500));
    // Three times as bright and then half the contrast is not the same as the other way round.
    const two: Raster = { data: Uint8Array.of(20, 100), height: 1, width: 2, channels: 1, layout: 'HWC' };
    // Values that are equal to the grey they are moved away from stay, however large the factor is.
    const flat = new ColorJitter({ contrast: [1e300, 1e300] }).apply(grey, new RandomGenerator(1));
    expect(flat.data).toEqual(grey.data);
    const jitter = new ColorJitter({ brightness: [3, 3], contrast: [0.5, 0.5] });
    expect(new Set(many(60, (random) => jitter.apply(two, random).data.join()))).toEqual(
      new Set(['109,206', '120,240']),
    );
    expect(new ColorJitter().apply(grey, new RandomGenerator(0))).toBe(grey);
  });

  it('RandomErasing covers a rectangle of its area', () => {
    const white: Raster = { data: new Uint8Array(1600).fill(255), height: 40, width: 40, channels: 1, layout: 'HWC' };
    const shares = many(300, (random) => {
      const { data } = new RandomErasing(1, { scale: [0.1, 0.3] }).apply(white, random);
      return data.filter((value) => value === 0).length / 1600;
    });
    expect(Math.min(...shares)).toBeGreaterThan(0.09);
    expect(Math.max(...shares)).toBeLessThan(0.32);
    expect(mean(shares)).toBeCloseTo(0.2, 1);
    const untouched = many(1000, (random) => new RandomErasing(0.4).apply(white, random) === white);
    expect(Math.abs(mean(untouched.map(Number)) - 0.6)).toBeLessThan(0.062);
    const noise = new RandomErasing(1, { value: 'random' });
    const bytes = noise.apply(white, new RandomGenerator(1)).data.filter((value) => value !== 255);
    expect(new Set(bytes).size).toBeGreaterThan(20);
    const floats = noise.apply(new ToTensor().apply(white), new RandomGenerator(1)).data;
    expect(floats.some((value) => value < 0)).toBe(true);
  });
});

describe('layouts and kinds of values', () => {
  it('ToTensor, Transpose and Normalize bring bytes to what networks take', () => {
    const image = picture(2, 3);
    const { data, layout } = new Compose([new ToTensor(), new Normalize([0.5, 0.5, 0.5], [0.5, 0.25, 0.5])]).apply(
      image,
      new RandomGenerator(0),
    );
    expect(layout).toBe('CHW');
    expect(data[7]).toBeCloseTo((image.data[4] / 255 - 0.5) / 0.25, 6);
    expect(new Transpose().apply(image)).toEqual(withLayout(image, 'CHW'));
    expect(new Transpose([1, 2, 0]).apply(withLayout(image, 'CHW'))).toEqual(image);
    const turned = new Transpose([1, 0, 2]).apply(columns(2, 5));
    expect(turned).toMatchObject({ height: 5, width: 2, layout: 'HWC' });
    expect([...turned.data]).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(() => new Transpose([0, 2, 1]).apply(image)).toThrow(ShapeError);
  });

  it('floats are resized, cut and turned like bytes', () => {
    const bytes = picture();
    const floats = new ToTensor('HWC').apply(bytes);
    for (const name of ['Resize', 'RandomCrop', 'RandomRotation', 'RandomAffine', 'Pad']) {
      const transform = makeTransform(name, needed[name]);
      const [a, b] = [bytes, floats].map((image) => transform.apply(image, new RandomGenerator(2)));
      expect(b.data).toBeInstanceOf(Float32Array);
      a.data.forEach((value, i) => {
        expect(Math.abs(value / 255 - b.data[i])).toBeLessThan(1.01 / 255);
      });
    }
  });

  it('runs functions in between, and then has no JSON', () => {
    const twice = new Compose([hflip, new Resize(10), (image) => hflip(image)]);
    expect(twice.apply(picture(), new RandomGenerator(0))).toEqual(hflip(new Resize(10).apply(hflip(picture()))));
    expect(twice.toJSON()).toBeNull();
    const nested = new Compose([new Compose([new Resize(10)]), new RandomCrop(4)]);
    expect(nested.toJSON()).toHaveLength(2);
    expect([nested.isRandom, new Compose([new Resize(3)]).isRandom, twice.isRandom]).toEqual([true, false, true]);
  });

  it('refuses what is no image, and colours of floats', () => {
    const broken = { ...picture(), width: 31 };
    expect(() => new Compose([]).apply(broken, new RandomGenerator(0))).toThrow(
      '[transforms] image: expected an image with bytes or float32 values for height × width × channels, ' +
        'got 1800 values for 20 × 31 × 3 (HWC)',
    );
    const bad = new Compose([
      function mine() {
        return broken;
      },
    ]);
    expect(() => bad.apply(picture(), new RandomGenerator(0))).toThrow('result of function mine');
    expect(() => new ColorJitter({ hue: 0.1 }).apply(new ToTensor().apply(picture()), new RandomGenerator(0))).toThrow(
      'adjustHue: expected bytes, got floats; put it before ToTensor and Normalize',
    );
    expect(() => new RandomCrop(21).apply(picture(), new RandomGenerator(0))).toThrow(
      'expected a picture of at least 21×21, got 30×20; set padding or padIfNeeded, or put Resize in front',
    );
    expect(() => new Normalize([1, 2]).apply(picture())).toThrow('mean: expected 1 or 3 values, got 2');
    expect(() => crop(picture(), 0, 0, 2, 2)).not.toThrow();
  });
});

describe('parseTransforms', () => {
  const json = (spec: Parameters<typeof parseTransforms>[0]) => parseTransforms(spec).toJSON();

  it('reads a text', () => {
    expect(json('RandomHorizontalFlip, RandomRotation(15),ColorJitter(brightness=0.2)')).toEqual([
      { RandomHorizontalFlip: { prob: 0.5 } },
      new RandomRotation(15).toJSON()[0],
      new ColorJitter({ brightness: 0.2 }).toJSON()[0],
    ]);
    expect(json('RandomCrop([32, 28], (1,2), True, fill=[1,2,3], padding_mode=reflect)')).toEqual(
      new RandomCrop([32, 28], {
        padding: [1, 2],
        padIfNeeded: true,
        fill: [1, 2, 3],
        paddingMode: 'reflect',
      }).toJSON(),
    );
    expect(json(`RandomAffine( -1e1.5, translate = None )`.replace('-1e1.5', '(-10, .5)'))).toEqual(
      new RandomAffine([-10, 0.5]).toJSON(),
    );
    expect(json(`Resize(8, interpolation='nearest')\n,ToTensor()`)).toEqual([
      { Resize: { size: 8, interpolation: 'nearest' } },
      { ToTensor: { dataFormat: 'CHW' } },
    ]);
  });

  it('reads a list as in a file', () => {
    expect(
      json([
        'RandomHorizontalFlip',
        { RandomCrop: { size: 32, padding: 4, padding_mode: 'edge' } },
        { Resize: 8 },
        { RandomRotation: [-5, 10] },
        { Grayscale: null } as never,
      ]),
    ).toEqual([
      { RandomHorizontalFlip: { prob: 0.5 } },
      new RandomCrop(32, { padding: 4, paddingMode: 'edge' }).toJSON()[0],
      { Resize: { size: 8, interpolation: 'bilinear' } },
      new RandomRotation([-5, 10]).toJSON()[0],
      { Grayscale: { numOutputChannels: 1 } },
    ]);
  });

  it.each<[string | readonly unknown[], string | RegExp]>([
    ['RandomRotatoin(15)', /'RandomRotatoin': expected one of ToTensor, .*; did you mean RandomRotation\?/],
    ['randomhorizontalflip', /did you mean RandomHorizontalFlip\?/],
    [
      'RandomCrop(32, paddin=4)',
      "RandomCrop: expected options size, padding, padIfNeeded, fill, paddingMode, got 'paddin'; did you mean padding?",
    ],
    [
      'RandomCrop',
      'RandomCrop: size: expected an edge in pixels, or [height, width], of at most 100 million pixels, got nothing',
    ],
    ['RandomCrop(0)', 'size: expected an edge in pixels, or [height, width], of at most 100 million pixels, got 0'],
    ['RandomCrop(3.5)', 'got 3.5'],
    ['RandomHorizontalFlip(1.5)', 'prob: expected a probability from 0 to 1, got 1.5'],
    ['RandomRotation(-5)', 'degrees: expected degrees from 0 on, or [least, most], got -5'],
    ['RandomRotation([20, 10])', 'got [20,10]'],
    ['ColorJitter(hue=0.6)', 'hue: expected a number from 0 to 0.5, or [least, most] from -0.5 to 0.5, got 0.6'],
    ['ColorJitter(brightness=-1)', 'brightness: expected a number from 0 on, or [least, most] of the factor, got -1'],
    ['RandomErasing(scale=[0.5, 1.5])', 'scale: expected [least, most] from 0 to 1, got [0.5,1.5]'],
    ['RandomResizedCrop(8, ratio=[0, 1])', 'ratio: expected [least, most], both above 0, got [0,1]'],
    ['RandomAffine(5, scale=[0, 1])', 'scale: expected [least, most], both above 0, or null, got [0,1]'],
    ['RandomAffine(5, translate=[0, 2])', 'translate: expected shares [x, y] from 0 to 1, or null, got [0,2]'],
    [
      'Resize(8, interpolation=cubic)',
      `expected 'nearest', 'bilinear', 'bicubic', 'box', 'hamming' or 'lanczos', got "cubic"`,
    ],
    ['Pad(2, paddingMode=wrap)', `paddingMode: expected 'constant', 'edge', 'reflect' or 'symmetric', got "wrap"`],
    ['Normalize(0, 0)', 'std: expected a number other than 0, or one a channel, got 0'],
    ['Resize(1, 2, 3)', /expected at most 2 options of Resize at character 14, got '3\)'/],
    ['Resize(8, size=9)', /expected size once/],
    ['Resize(8', /expected ',' or '\)' at character 9, got the end/],
    ['Resize(8) RandomCrop(4)', /expected ',' or the end at character 11, got 'RandomCrop\(4\)'/],
    ['Resize([[[[[[1]]]]]])', /expected a value/],
    ['', /expected the name of a transform at character 1, got the end/],
    [[{ Resize: 8, Pad: 2 }], /expected a name, or a name with its options/],
    [[7], /expected a name, or a name with its options .*, got 7/],
    [{ Resize: 8 } as never, 'expected a text or a list of transforms, got {"Resize":8}'],
    ['constructor', /'constructor': expected one of/],
  ])('refuses %j', (spec, message) => {
    const parse = () => parseTransforms(spec as string);
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
  });

  it('reads any text, or says what is wrong with it', () => {
    const part = fc.constantFrom(
      ...transformNames,
      '(',
      ')',
      '[',
      ']',
      ',',
      '=',
      '1',
      '-2.5',
      '-0',
      'size',
      'null',
      ' ',
      "'a'",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const made = (() => {
          try {
            return parseTransforms(text);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            return null;
          }
        })();
        if (made === null) return;
        expect(parseTransforms(JSON.parse(JSON.stringify(made))).transforms).toEqual(made.transforms);
      }),
      { numRuns: 500 },
    );
  });
});

it('bytes of four channels are weighed with the last one, as Pillow does', () => {
  // Image.fromarray(a, 'RGBA').resize((2, 1), BILINEAR) of Pillow 13.
  const image = {
    data: Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 0, 10, 20, 30, 128),
    height: 1,
    width: 3,
    channels: 4,
    layout: 'HWC',
  } as const;
  expect([...resize(image, [1, 2]).data]).toEqual([255, 0, 0, 159, 9, 19, 28, 80]);
  const grey = {
    data: Uint8Array.of(200, 255, 90, 0, 50, 128),
    height: 1,
    width: 3,
    channels: 2,
    layout: 'HWC',
  } as const;
  expect([...resize(grey, [1, 2]).data]).toEqual([200, 159, 51, 80]);
});
