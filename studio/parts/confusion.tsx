import type { EvaluationView } from '../../src/studio/api.js';
import { t } from '../texts/index.js';
import { count, percent } from './format.js';
import type { Wanted } from './gallery.js';
import { Scroll } from './scroll.js';

/** The confusion matrix; each of its cells shows the pictures behind it. */
export function Confusion({
  view,
  onShow,
}: {
  readonly view: EvaluationView;
  readonly onShow: (wanted: Wanted) => void;
}) {
  const { classNames, confusion, recall, precision } = view;
  const cell = (label: number, predicted: number) => {
    const n = confusion[label][predicted];
    if (n === 0) return <span class="zero">0</span>;
    const row = confusion[label].reduce((sum, each) => sum + each, 0);
    const title = t('evaluate.cell', { n, label: classNames[label], predicted: classNames[predicted] });
    const shade = Math.ceil((4 * n) / row);
    return (
      <button
        type="button"
        class={`cell ${label === predicted ? 'hit' : 'miss'}${shade}`}
        aria-label={title}
        onClick={() => onShow({ title, filter: { label, predicted } })}
      >
        {count(n)}
      </button>
    );
  };
  return (
    <section>
      <h2>{t('evaluate.confusion')}</h2>
      <p class="hint">{t('evaluate.rows')}</p>
      <Scroll label={t('evaluate.confusion')}>
        <table class="matrix">
          <thead>
            <tr>
              <td />
              {classNames.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col">{t('evaluate.recall')}</th>
            </tr>
          </thead>
          <tbody>
            {classNames.map((name, label) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {classNames.map((other, predicted) => (
                  <td key={other}>{cell(label, predicted)}</td>
                ))}
                <td class="number">{percent(recall[label], 1)}</td>
              </tr>
            ))}
            <tr>
              <th scope="row">{t('evaluate.precision')}</th>
              {precision.map((value, i) => (
                <td key={classNames[i]} class="number">
                  {percent(value, 1)}
                </td>
              ))}
              <td />
            </tr>
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
