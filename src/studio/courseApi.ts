/** Types of the server's answers about the course. */

export interface CourseChapter {
  /** The program, as it runs. */
  readonly code: string;
  readonly model: string;
  /** The layers of the network, with the shapes of their outputs. */
  readonly layers: readonly { readonly name: string; readonly shape: readonly number[]; readonly parameters: number }[];
  readonly parameters: number;
  readonly breaking: string;
}

/** A program of the course that was started. */
export interface CourseOutput {
  readonly id: number;
  readonly text: string;
  /** Exit code; null while it runs. */
  readonly code: number | null;
}
