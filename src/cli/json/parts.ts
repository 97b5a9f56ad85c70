import { z } from 'zod';

/** Parts of several schemas. */

export const count = z.int().min(0);
export const share = z.number().min(0).max(1);
export const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
export const path = z.string();
export const shape = z.array(count);
export const interval = z.tuple([share, share]);
export const confusion = z.array(z.array(count)).describe('confusion[t][p]: images of class t predicted as class p');
export const notes = z.array(z.string()).describe('notes for people');
/** Values whose own form is that of a function of the library, named in the description. */
export const as = (description: string) => z.unknown().describe(description);

export const unreadable = z
  .object({ file: path, error: z.string().describe('why it was left out') })
  .describe('a picture that could not be read');
