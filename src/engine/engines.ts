import { openOneDnn } from './onednn/engine.js';
import { type EngineEntry, engines as portable } from './portableEngines.js';

/** All engines, the preferred one first: `#engines` in Node. */
export const engines = [
  { name: 'onednn', open: openOneDnn, fixed: {}, asFallback: 'computing with oneDNN.' },
  ...portable,
] as const satisfies readonly EngineEntry[];

export type EngineName = (typeof engines)[number]['name'];
