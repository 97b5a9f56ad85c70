import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import type { RunConfig } from '../../src/run/config.js';
import { describePositive, positiveClass, positiveOf } from '../../src/run/positive.js';

test.each([
  ['PM', 'non-PM'],
  ['pneumonia', 'normal'],
  ['tumor', 'no_tumor'],
  ['Tumor', 'NoTumor'],
  ['cancer', 'noncancer'],
  ['affected', 'unaffected'],
  ['abnormal', 'normal'],
  ['not normal', 'normal'],
  ['not-healthy', 'healthy'],
  ['malignant', 'benign'],
  ['defect', 'good'],
  ['AMD', 'Healthy'],
  ['1', '0'],
  ['true', 'false'],
  ['yes', 'no'],
  ['positive', 'negative'],
  ['crack', 'background'],
  ['case', 'control'],
  ['cells', 'negative control'],
  ['异常', '正常'],
  ['阳性', '阴性'],
  ['enfermo', 'sano'],
])('%s is the positive class beside %s, in either order', (positive, negative) => {
  for (const classNames of [
    [positive, negative],
    [negative, positive],
  ]) {
    const found = positiveClass(classNames);
    expect(found).toEqual({ index: classNames.indexOf(positive), name: positive, other: negative });
    expect(describePositive(found as NonNullable<typeof found>)).toBe(`${positive}, not ${negative}, by their names`);
  }
});

test.each([
  ['cat', 'dog'],
  ['circle', 'star'],
  ['normal', 'healthy'],
  ['no', 'not'],
  ['notebook', 'tablet'],
  ['nose', 'ear'],
])('of %s and %s it is the last', (first, second) => {
  const found = positiveClass([first, second]);
  expect(found?.name).toBe(second);
  expect(describePositive(found as NonNullable<typeof found>)).toContain('the last one, for their names do not say it');
});

test('is what is asked for; more classes have none', () => {
  const found = positiveClass(['cat', 'dog'], 'cat');
  expect(found).toEqual({ index: 0, name: 'cat', other: 'dog' });
  expect(describePositive(found as NonNullable<typeof found>)).toBe('cat, not dog');
  expect(positiveClass(['a', 'b', 'c'])).toBe(null);
  expect(() => positiveClass(['a', 'b', 'c'], 'a')).toThrow(InputError);
  expect(() => positiveClass(['a', 'b', 'c'], 'a')).toThrow('expected with two classes only, got it with 3');
  expect(() => positiveClass(['cats', 'dogs'], 'dog')).toThrow(
    'expected cats or dogs, got another name; did you mean dogs?',
  );
});

test('of older runs it is the second class', () => {
  const data = { classNames: ['ill', 'normal'] } as unknown as RunConfig['data'];
  expect(positiveOf({ data })?.name).toBe('normal');
  expect(positiveOf({ data, positive: 'ill' })?.index).toBe(0);
});
