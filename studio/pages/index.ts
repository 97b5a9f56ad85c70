import type { FunctionComponent } from 'preact';
import type { TextKey } from '../texts/index.js';

/** Parameters of the address. */
export interface PageProps {
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Page {
  /** As in the address: `#/runs`. */
  readonly name: string;
  readonly title: TextKey;
  /** Loaded when the page is first opened. */
  readonly load: () => Promise<{ readonly default: FunctionComponent<PageProps> }>;
}

/**
 * The pages, in the order of the navigation. A page is one entry here, one in `src/studio/pages/index.ts` with its routes, and
 * one in `studio/texts/all.ts` with its texts.
 */
export const pages: readonly Page[] = [
  { name: 'runs', title: 'runs.title', load: () => import('./runs.js') },
  { name: 'data', title: 'data.title', load: () => import('./data.js') },
  { name: 'train', title: 'train.title', load: () => import('./train.js') },
  { name: 'evaluate', title: 'evaluate.title', load: () => import('./evaluate.js') },
  { name: 'compare', title: 'compare.title', load: () => import('./compare.js') },
  { name: 'features', title: 'features.title', load: () => import('./features.js') },
  { name: 'try', title: 'try.title', load: () => import('./try.js') },
  { name: 'course', title: 'course.title', load: () => import('./course.js') },
];
