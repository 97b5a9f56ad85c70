import { compareTexts } from './compare.js';
import { courseTexts } from './course.js';
import { dataTexts } from './data.js';
import { evaluateTexts } from './evaluate.js';
import { featuresTexts } from './features.js';
import { runsTexts } from './runs.js';
import { shellTexts } from './shell.js';
import type { Texts } from './table.js';
import { trainTexts } from './train.js';
import { tryTexts } from './try.js';

/** All texts. A page adds a file of its own here. */
export const texts = {
  ...shellTexts,
  ...runsTexts,
  ...dataTexts,
  ...trainTexts,
  ...evaluateTexts,
  ...compareTexts,
  ...featuresTexts,
  ...tryTexts,
  ...courseTexts,
} as const satisfies Texts;
