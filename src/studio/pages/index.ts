import type { PageRoutes } from '../context.js';
import { compareRoutes } from './compare.js';
import { courseRoutes } from './course.js';
import { dataRoutes } from './data.js';
import { evaluateRoutes } from './evaluate.js';
import { featuresRoutes } from './features.js';
import { runsRoutes } from './runs.js';
import { trainRoutes } from './train.js';
import { tryRoutes } from './try.js';

/**
 * The routes of each page. A page of the studio is one entry here, and one in `studio/pages/index.ts`, with
 * its component.
 */
export const pageRoutes: Readonly<Record<string, PageRoutes>> = {
  runs: runsRoutes,
  data: dataRoutes,
  train: trainRoutes,
  evaluate: evaluateRoutes,
  compare: compareRoutes,
  features: featuresRoutes,
  try: tryRoutes,
  course: courseRoutes,
};
