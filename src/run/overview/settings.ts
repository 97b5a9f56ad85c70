import type { RunConfig } from '../config.js';

/** Settings of a run by their places in its record, such as `recipe.optimizer.learningRate`. */
function settingsOf(config: RunConfig): ReadonlyMap<string, string> {
  // These follow from the others, or say when and where.
  const { started: _, machine: __, ...settings } = config;
  const found = new Map<string, string>();
  collect('', settings, found);
  return found;
}

function collect(place: string, value: unknown, found: Map<string, string>): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) collect(place === '' ? key : `${place}.${key}`, inner, found);
  } else if (value !== undefined) found.set(place, typeof value === 'string' ? value : JSON.stringify(value));
}

/** A setting with its value in each of several runs; null where a run does not have it. */
interface SettingRow {
  readonly setting: string;
  readonly values: readonly (string | null)[];
}

/** @param onlyDifferent leaves out settings that are equal in all runs */
export function compareSettings(configs: readonly RunConfig[], onlyDifferent: boolean): SettingRow[] {
  const all = configs.map(settingsOf);
  const names = new Set(all.flatMap((settings) => [...settings.keys()]));
  const rows = [...names].map((setting) => ({ setting, values: all.map((settings) => settings.get(setting) ?? null) }));
  return onlyDifferent ? rows.filter(({ values }) => new Set(values).size > 1) : rows;
}
