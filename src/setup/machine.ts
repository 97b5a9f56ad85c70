import { machine } from '#platform';

/** Why setup cannot get the library on this machine; `null` where it can. */
export function obstacle(): string | null {
  if (process.platform !== 'linux') return `setup gets oneDNN on Linux alone, and this is ${machine}`;
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  // It would ask name servers.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { readonly header: { readonly glibcVersionRuntime?: string } };
  if (header.glibcVersionRuntime !== undefined) return null;
  return 'the builds of oneDNN need the GNU C library, and this system has another one';
}
