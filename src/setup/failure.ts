import { CacheFailed, WayFailed } from './work.js';

const mostLines = 3;
const mostLetters = 300;

/** The error for a program that failed, with the lines of its output that say why. */
export function failureOf(output: string): WayFailed {
  const full = /no space left on device|disk quota exceeded|file (?:size limit exceeded|too large)/i.exec(output)?.[0];
  if (full !== undefined) return new CacheFailed(`${full.toLowerCase()}; FOVEA_CACHE names another folder`);
  const lines = output.split('\n').flatMap((line) => (line.trim() === '' ? [] : line.trim()));
  const errors = lines.filter((line) => /^(E|Err|ERROR|error)\b/.test(line));
  // An exception of Python has its message in the last line.
  const isException = lines.some((line) => line.startsWith('Traceback'));
  const text = (errors.length > 0 && !isException ? errors : lines).slice(isException ? -1 : -mostLines).join('; ');
  return new WayFailed(text === '' ? 'it failed without a reason' : text.slice(0, mostLetters));
}
