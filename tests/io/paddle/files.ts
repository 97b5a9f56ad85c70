import { fileURLToPath } from 'node:url';

/** Files that Paddle and NumPy wrote; `tests/goldens/paddle_files.py` has the contents. */
export const files = fileURLToPath(new URL('../../goldens/paddle', import.meta.url));
