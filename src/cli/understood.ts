import type { Understanding } from '../run/catalog/datasets.js';
import type { RunConfig } from '../run/config.js';
import { formatCount } from '../text/numbers.js';
import { describePassedOver } from '../vision/datasets/listing.js';

/** Describes how the files of a data set were read, for the first lines of a command. */

type Facts = [name: string, value: string][];

export function passedOverFacts({ passedOver }: Pick<Understanding, 'passedOver'>): Facts {
  return passedOver.length === 0 ? [] : [['passed over', describePassedOver(passedOver)]];
}

/** The source of the parts, and the skipped files. */
export function understoodFacts(understood: Understanding, data: RunConfig['data']): Facts {
  return [...partFacts(understood, data), ...passedOverFacts(understood)];
}

function partFacts({ parts }: Understanding, { holdOut, group, fold }: RunConfig['data']): Facts {
  if (fold !== undefined) {
    const kept = group === undefined ? '' : `, pictures of one group (${group}) together`;
    return [['parts', `validation: fold ${fold.number} of ${fold.of}${kept}`]];
  }
  const from = (wanted: string) => parts.find(({ role }) => role === wanted)?.from;
  const training = from('train');
  const validation = from('validation') ?? from('test');
  const test = parts.find(({ role }) => role === 'test');
  const percent = (share: number) => `${Math.round(1000 * share) / 10} %`;
  const together = group === undefined ? '' : `, pictures of one group (${group}) together`;
  const tested = holdOut?.test === undefined ? '' : `, ${percent(holdOut.test)} for the test`;
  const held = holdOut === null ? null : `${percent(holdOut.share)} of each class held out${tested}${together}`;
  if (training === undefined) return held === null ? [] : [['parts', `validation: ${held}`]];
  const validationPart = held === null ? `validation from ${validation}` : `validation: ${held} of it`;
  const left = test === undefined || (holdOut === null && from('validation') === undefined) ? null : test;
  return [
    ['parts', `training from ${training}, ${validationPart}`],
    ...(left === null
      ? []
      : [
          [
            'test',
            `${formatCount(left.images)} images of ${left.from}, which choose nothing; evaluated once, after the training`,
          ] as [string, string],
        ]),
  ];
}
