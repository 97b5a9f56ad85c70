import type { NetworkLayers } from './api.js';

/** Types of the server's answers about the course. */

export interface CourseChapter extends NetworkLayers {
  /** The program, as it runs. */
  readonly code: string;
  readonly breaking: string;
}

/** A program of the course that was started. */
export interface CourseOutput {
  readonly id: number;
  readonly text: string;
  /** Exit code; null while it runs. */
  readonly code: number | null;
}
