/** A worker's process, which lives until it is stopped. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const minutesAtMost = 15;

const lastLine = (text) => text.trim().split('\n').at(-1);
/** Node ends with its version, Python with the message. */
export const reasonOf = (text) => text.match(/\w*(Error|Exception)\b.*/g)?.at(-1) ?? lastLine(text);

export function startSession(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: 'pipe' });
  let errors = '';
  let answered;
  const ended = new Promise((done) => {
    child.on('error', ({ message }) => done(message));
    child.on('close', (code, signal) => done(`${reasonOf(errors)} (${signal ?? code})`));
  });
  child.stdin.on('error', () => {}); // that it has ended is known from `ended`
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = `${errors}${text}`.slice(-20_000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    // The frameworks print things too.
    if (line.startsWith('{"version":')) answered(JSON.parse(line));
  });
  const killIn = (milliseconds) => setTimeout(() => child.kill('SIGKILL'), milliseconds);
  const failure = ended.then((reason) => Promise.reject(new Error(reason)));
  async function nextLine() {
    const timer = killIn(60_000 * minutesAtMost);
    const answer = new Promise((done) => {
      answered = done;
    });
    return Promise.race([answer, failure]).finally(() => clearTimeout(timer));
  }
  const ready = nextLine();
  ready.catch(() => {}); // the next turn reports the error
  return {
    /** Imports, network and compilation are done. */
    ready,
    /** `{ version, stepMiB, processMiB, times }` */
    async turn(request) {
      await ready;
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return nextLine();
    },
    async stop() {
      child.stdin.end();
      const timer = killIn(5000);
      await ended;
      clearTimeout(timer);
    },
  };
}
