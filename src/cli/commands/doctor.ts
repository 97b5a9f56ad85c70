import { diagnose } from '../diagnose.js';
import { print, printJson, type Terminal } from '../terminal.js';

interface DoctorCommandOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export async function doctor({ dataDir, json }: DoctorCommandOptions, terminal: Terminal): Promise<number> {
  const findings = await diagnose({ dataDir });
  const ok = findings.every((finding) => finding.ok);
  if (json) {
    printJson(terminal, { ok, findings });
    return ok ? 0 : 1;
  }
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, ok: well, found, details = [], remedy } of findings) {
    print(terminal, `${well ? '✓' : '✗'} ${name.padEnd(width)}  ${found}`);
    for (const line of details) print(terminal, `  ${' '.repeat(width)}  ${line}`);
    if (remedy !== undefined) print(terminal, `  ${' '.repeat(width)}  fix it with: ${remedy}`);
  }
  return ok ? 0 : 1;
}
