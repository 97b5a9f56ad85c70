import { dataTexts } from './data.js';
import { evaluateTexts } from './evaluate.js';
import { runsTexts } from './runs.js';
import { shellTexts } from './shell.js';
import type { Texts } from './table.js';
import { trainTexts } from './train.js';

/** All texts. A page adds a file of its own here. */
export const texts = {
  ...shellTexts,
  ...runsTexts,
  ...dataTexts,
  ...trainTexts,
  ...evaluateTexts,
} as const satisfies Texts;
