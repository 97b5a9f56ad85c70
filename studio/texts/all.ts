import { runsTexts } from './runs.js';
import { shellTexts } from './shell.js';
import type { Texts } from './table.js';

/** All texts. A page adds a file of its own here. */
export const texts = { ...shellTexts, ...runsTexts } as const satisfies Texts;
