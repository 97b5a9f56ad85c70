import type { TestProject } from 'vitest/node';
import { candidates, usualPlaces } from '../src/engine/onednn/library/candidates.js';
import { keepState } from './sourceState.js';

export default function setup(project: TestProject): void {
  keepState();
  project.onTestsRerun(keepState);
  // Many tests have a cache of their own. The library that `fovea setup` has put into the user's cache is named to them.
  const [first] = candidates(usualPlaces());
  if (first?.origin.startsWith('cache')) process.env.FOVEA_ONEDNN = first.path;
}
