import { diagnose } from '../diagnose.js';
import { printJson, printTable, type Terminal } from '../terminal.js';

interface DoctorCommandOptions {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export async function doctor({ dataDir, json }: DoctorCommandOptions, terminal: Terminal): Promise<number> {
  const findings = await diagnose({ dataDir });
  const ok = findings.every((finding) => finding.ok);
  if (json) {
    printJson(terminal, 'doctor.result', { ok, findings });
    return ok ? 0 : 1;
  }
  const rows = findings.flatMap(({ name, ok: well, note = false, found, details = [], remedy }) => {
    const more = [...details, ...(remedy === undefined ? [] : [`fix it with: ${remedy}`])];
    return [[`${note ? '–' : well ? '✓' : '✗'} ${name}`, found], ...more.map((line) => ['', line])];
  });
  printTable(terminal, [{ header: '' }, { header: '' }], rows);
  return ok ? 0 : 1;
}
