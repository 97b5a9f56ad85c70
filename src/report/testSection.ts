import { wilsonInterval } from '../statistics/index.js';
import { formatCount, formatInterval, formatMetric, formatPercent } from '../text/numbers.js';
import { countCorrect, countImages } from './confusedPairs.js';
import type { TestEvaluation } from './data.js';
import { type Html, html, unbroken } from './html.js';
import { formatProportion } from './operatingPoint.js';

/** Metrics on the test images; without any, how far the other metrics are optimistic. */
export function testSection(test: readonly TestEvaluation[], optimism: string | undefined): Html | null {
  if (test.length === 0) {
    return optimism === undefined
      ? null
      : html`
<h2>No separate test images</h2>
<p>${optimism}</p>`;
  }
  const isBinary = test.some(({ screening }) => screening !== undefined);
  const rows = test.map(({ weights, evaluation, loss, screening }) => {
    const [images, correct] = [countImages(evaluation), countCorrect(evaluation)];
    const binary = screening && [
      screening.auc.value === null
        ? html`<td title="${screening.auc.reason}">–</td>`
        : html`<td>${screening.auc.value.toFixed(4)} <small>${unbroken(screening.auc.interval.map((x) => x.toFixed(4)).join('–'))}</small></td>`,
      ...(['sensitivity', 'specificity'] as const).map((name) => {
        const share = (screening.atOperatingPoint ?? screening.atThreshold)[name];
        const interval =
          share.interval === null ? null : html` <small>${unbroken(formatInterval(share.interval))}</small>`;
        return html`<td>${formatProportion(share)}${interval}</td>`;
      }),
    ];
    return html`<tr><td>${weights} epoch</td><td>${formatCount(images)}</td>
<td>${formatPercent(correct / images)} <small>${unbroken(formatInterval(wilsonInterval(correct, images), 2))}</small></td>
<td>${formatMetric(loss)}</td>${binary ?? null}</tr>`;
  });
  const binaryHeads = html`<th scope="col">AUC</th><th scope="col">Sensitivity</th><th scope="col">Specificity</th>`;
  return html`
<h2>Test images</h2>
<p class="hint">These images chose nothing: neither weights nor epoch nor threshold. They were evaluated once, after the training.
In small print: 95 % intervals.</p>
<div class="scroll"><table><thead><tr><th scope="col">Weights of the</th><th scope="col">Images</th><th scope="col">Accuracy</th>
<th scope="col">Loss</th>${isBinary ? binaryHeads : null}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
