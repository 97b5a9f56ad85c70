import { renderDecisionCurve } from '../../report/decisionCurve.js';
import { type Block, figure, paragraph, table } from '../../report/document.js';
import { type BinaryScores, decisionCurve } from '../../statistics/index.js';

/** Threshold probabilities of the table. */
const ofTable = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];
/** Those of the picture. Few decisions need higher ones. */
const ofPicture = Array.from({ length: 60 }, (_, i) => (i + 1) / 100);

/** The decision curve as a picture and a table. */
export function netBenefit(scores: BinaryScores, prevalence: number | undefined): Block[] {
  const cell = (value: { readonly value: number | null }) => (value.value === null ? 'none' : value.value.toFixed(4));
  const picture = renderDecisionCurve(decisionCurve(scores, { thresholds: ofPicture, prevalence }));
  return [
    paragraph(
      prevalence === undefined
        ? 'At the share of positives in these images. Where the test will be used the share is another: state the prevalence.'
        : `At the stated prevalence of ${Number((100 * prevalence).toPrecision(3))} %.`,
    ),
    ...(picture === null ? [] : [figure(picture)]),
    table(
      ['threshold probability', 'net benefit of the network', 'of referring all', 'referrals avoided, a person'],
      decisionCurve(scores, { thresholds: ofTable, prevalence }).map(
        ({ threshold, model, all, interventionsAvoided }) => [
          `${Math.round(100 * threshold)} %`,
          cell(model),
          cell(all),
          cell(interventionsAvoided),
        ],
      ),
    ),
    paragraph(
      'Net benefit counts true positives a person, less false positives weighted by the odds of the threshold. Referring no one has 0.',
    ),
  ];
}
