#!/usr/bin/env node
import { run } from './program.js';
import { StandardStreams } from './standardStreams.js';

process.exitCode = await run(process.argv.slice(2), new StandardStreams(process));
