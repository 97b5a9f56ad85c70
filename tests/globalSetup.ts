import { candidates, usualPlaces } from '../src/engine/onednn/library/candidates.js';

/** Many tests have a cache of their own. The library that `fovea setup` has put into the user's cache is named to them. */
export default function setup(): void {
  const [first] = candidates(usualPlaces());
  if (first?.origin.startsWith('cache')) process.env.FOVEA_ONEDNN = first.path;
}
