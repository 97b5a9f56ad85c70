import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const project = fileURLToPath(new URL('../', import.meta.url));

/** Bundles TypeScript sources into one module; warnings fail. */
export async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: project,
    bundle: true,
    format: 'esm',
    target: 'es2023',
    conditions: ['fovea-source'],
    logLevel: 'silent',
    ...options,
    write: false,
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  return outputFiles?.[0].text ?? '';
}
