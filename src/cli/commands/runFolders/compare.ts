import { InputError } from '../../../errors.js';
import { metricsOf, type RunEntry, readRunEntry, stateOfRun } from '../../../run/overview/runEntry.js';
import { compareSettings } from '../../../run/overview/settings.js';
import { formatMetric, formatPercent } from '../../../text/numbers.js';
import { print, printFacts, printJson, printTable, type Terminal } from '../../terminal.js';

type Facts = [name: string, value: string][];

function metricFacts(run: RunEntry): Facts {
  return (['validation', 'test'] as const).flatMap((split): Facts => {
    const { loss, accuracy } = metricsOf(run, split);
    if (loss === null || accuracy === null) return [];
    return [[split, `accuracy ${formatPercent(accuracy)}, loss ${formatMetric(loss)}`]];
  });
}

/** Shows one run: its state, metrics and settings. */
export async function showRun(
  path: string,
  { json }: { readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const run = await readRunEntry(path);
  if (json) {
    const { config, history, results } = run;
    printJson(terminal, 'runs.show', {
      run: path,
      state: stateOfRun(run),
      config,
      history,
      results: results?.evaluations ?? null,
    });
    return 0;
  }
  print(terminal, path);
  printFacts(terminal, [['state', stateOfRun(run)], ...metricFacts(run)]);
  print(terminal, '');
  printFacts(
    terminal,
    compareSettings([run.config], false).map(({ setting, values }): [string, string] => [setting, values[0] ?? '–']),
  );
  return 0;
}

/** Shows runs beside each other. */
export async function compareRunSettings(
  paths: readonly string[],
  { diff = false, json }: { readonly diff?: boolean; readonly json?: boolean },
  terminal: Terminal,
): Promise<number> {
  if (paths.length < 2) throw new InputError(`[runs] compare: expected two runs or more, got ${paths.length}`);
  const runs: RunEntry[] = [];
  for (const path of paths) runs.push(await readRunEntry(path));
  const settings = compareSettings(
    runs.map(({ config }) => config),
    diff,
  );
  const metrics = runs.map((run) => ({ validation: metricsOf(run, 'validation'), test: metricsOf(run, 'test') }));
  if (json) {
    printJson(terminal, 'runs.compare', { runs: paths, settings, metrics });
    return 0;
  }
  const share = (value: number | null) => (value === null ? '–' : formatPercent(value));
  printTable(
    terminal,
    [{ header: '' }, ...paths.map((header) => ({ header }))],
    [
      ['state', ...runs.map(stateOfRun)],
      ['accuracy', ...metrics.map(({ validation }) => share(validation.accuracy))],
      ['test accuracy', ...metrics.map(({ test }) => share(test.accuracy))],
      ...settings.map(({ setting, values }) => [setting, ...values.map((value) => value ?? '–')]),
    ],
  );
  return 0;
}
