import { FileError, InputError } from '../errors.js';
import { addSection } from '../report/addSection.js';
import { type ExplainedPictures, explanationsSection } from '../report/explanationsSection.js';
import { option } from '../text/option.js';
import type { RunFolder } from './folder.js';

/** Most pictures whose maps are in a report: each has three. */
export const mostExplained = 32;

/**
 * Checks before the work that a run has a report to which maps can be added.
 *
 * @throws {InputError} if it has none
 */
export function requireReport(folder: RunFolder): void {
  if (folder.hasReport) return;
  throw new InputError(
    `[explain] ${folder.path}: expected a run with a report, got none; finish the training, or leave out ${option('report')}`,
  );
}

/**
 * Puts maps into the `report.html` of a run, in place of earlier ones.
 *
 * @throws {InputError} if a training writes to the folder
 * @throws {FileError} for a report that was changed
 */
export async function addExplanations(folder: RunFolder, explained: ExplainedPictures): Promise<void> {
  await folder.locked(async () => {
    const page = addSection(await folder.readReport(), 'explanations', 'Explanations', explanationsSection(explained));
    if (page === null) {
      throw new FileError(
        `[explain] ${folder.path}: expected the report that the training wrote, got another page; leave out ${option('report')}`,
      );
    }
    await folder.writeReport(page);
  });
}
