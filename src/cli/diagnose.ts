import { totalmem } from 'node:os';
import { availableMemory } from '#platform';
import { engineNames, openEngine } from '../engine/select.js';
import { memoryLimit } from '../env.js';
import { EngineError, InputError, messageOf, NotDownloadedError, PackageError } from '../errors.js';
import { formatBytes } from '../memory.js';
import { cachePlace, canWriteCache } from '../platform/node/cacheFolder.js';
import { namedDatasets } from '../run/catalog/datasets.js';
import { libraryText, lookedAt } from '../setup/libraries.js';
import { obstacle } from '../setup/machine.js';
import { formatCount } from '../text/numbers.js';
import { version } from '../version.js';
import { decoderVersion } from '../vision/images/decode.js';
import { preprocessing } from '../vision/images/preprocess.js';

/** The result of one check. */
export interface Finding {
  readonly name: string;
  /** False if something is missing or does not work. */
  readonly ok: boolean;
  /** True for a part that is not there, and that no work needs or that is fetched when it is needed. */
  readonly note?: true;
  readonly found: string;
  /** Further lines. */
  readonly details?: readonly string[];
  /** A command that installs a missing part, if there is one. */
  readonly remedy?: string;
}

/** Checks whether this machine has everything that Fovea needs. Nothing is downloaded or changed. */
export async function diagnose({ dataDir }: { readonly dataDir?: string | undefined } = {}): Promise<Finding[]> {
  return [
    { name: 'Fovea', ok: true, found: version },
    checkNode(),
    ...checkEngine(),
    await checkPictures(),
    checkMemory(),
    ...(await checkData(dataDir)),
  ];
}

function checkNode(): Finding {
  return { name: 'Node', ok: true, found: `${process.version}, ${process.platform} ${process.arch}` };
}

function checkEngine(): Finding[] {
  try {
    const engine = openEngine(engineNames[0]);
    return [
      { name: 'Engine', ok: true, found: engine.describe() },
      ...checkLibrary(),
      { name: 'Threads', ok: true, found: `${engine.settings.threads}, of which small networks use one` },
    ];
  } catch (error) {
    if (error instanceof InputError) throw error;
    const finding = lacking('Engine', error, substitute());
    // Setup has no library for some systems, whose engine is the portable one.
    return [obstacle() === null ? finding : { ...finding, ok: true, note: true }];
  }
}

/** The engine that computes in place of the preferred one. */
function substitute(): string {
  try {
    openEngine('portable');
    return 'the portable engine is used instead, in WebAssembly';
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return `the reference engine is used instead, which is right but slow (${error.reason})`;
  }
}

/** The native library in use, and those that were passed over. */
function checkLibrary(): Finding[] {
  const used = lookedAt().find(({ problem }) => problem === null);
  if (used === undefined) return [];
  const others = lookedAt().filter(({ problem }) => problem !== null);
  const details = others.map((library) => `not used: ${libraryText(library)}`);
  return [{ name: 'Library', ok: true, found: libraryText(used), ...(details.length > 0 && { details }) }];
}

async function checkPictures(): Promise<Finding> {
  try {
    return { name: 'Pictures', ok: true, found: await decoderVersion() };
  } catch (error) {
    return lacking('Pictures', error, 'photographs cannot be read, and reports have no pictures');
  }
}

/** The finding for a missing part, with the command that installs it if the error has one. */
function lacking(name: string, error: unknown, meanwhile: string): Finding {
  const isInstallable = error instanceof EngineError || error instanceof PackageError;
  const [reason, remedy] = isInstallable ? [error.reason, error.install] : [messageOf(error), null];
  const finding = { name, ok: false, found: `${reason.replace(/^\[[^\]]*\] /, '')}; ${meanwhile}` };
  return remedy === null ? finding : { ...finding, remedy };
}

function checkMemory(): Finding {
  // In a container it is the container's limit that counts.
  const total = Math.min(totalmem(), process.constrainedMemory?.() || totalmem());
  const limit = memoryLimit();
  const limited = limit === null ? '' : `; programs may take ${formatBytes(limit)} (FOVEA_MEMORY_LIMIT)`;
  const found = `${formatBytes(total)}, ${formatBytes(availableMemory())} of them free${limited}`;
  return { name: 'Memory', ok: true, found };
}

async function checkData(dataDir: string | undefined): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const kind of Object.values(namedDatasets)) {
    // The place of other data is up to the user.
    if (kind.location !== null) continue;
    const name = kind.title;
    try {
      const holdOut = { share: 0.5, seed: 0 };
      const data = await kind.open({ location: dataDir, offline: true, images: preprocessing(), holdOut });
      const train = await data.open('train');
      const test = await data.open('validation');
      const counts = `${formatCount(train.dataset.length)} + ${formatCount(test.dataset.length)} images`;
      findings.push({ name, ok: true, found: `${counts}, ${train.source}` });
    } catch (error) {
      if (error instanceof NotDownloadedError) {
        findings.push(
          canWriteCache()
            ? { name, ok: true, note: true, found: 'not here yet; the first training downloads it' }
            : {
                name,
                ok: false,
                found: `not here, and cannot be downloaded: the cache ${cachePlace().path} cannot be written`,
                details: ['FOVEA_CACHE names another folder'],
              },
        );
      } else findings.push({ name, ok: false, found: messageOf(error) });
    }
  }
  return findings;
}
