import type { FastifyInstance } from 'fastify';
import type { Workspace } from './workspace.js';

/** Objects that the routes of all pages share. */
export interface StudioContext {
  readonly workspace: Workspace;
  /** Program and first arguments of the command line of fovea: `['node', '…/cli/main.js']`. */
  readonly program: readonly string[];
  /** Aborted when the studio ends. */
  readonly signal: AbortSignal;
}

/** Adds the routes of a page, all of which begin with `/api/`. */
export type PageRoutes = (app: FastifyInstance, context: StudioContext) => void | Promise<void>;
