import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '../io/files/runProgram.js';
import { aptWith, choosePackage, dependenciesOf, type Package, type RunApt } from './apt.js';
import { failureOf } from './failure.js';
import type { Work } from './work.js';

/**
 * apt with its lists and packages in a folder of the cache, so that it needs no rights. The package sources
 * are those of the system.
 */
export class PrivateApt {
  readonly #work: Work;
  readonly #folder: string;
  readonly #run: RunApt;

  private constructor(work: Work, folder: string) {
    this.#work = work;
    this.#folder = folder;
    const own = [`Dir::State::Lists=${folder}/lists`, `Dir::Cache=${folder}/cache`, 'APT::Sandbox::User=root'];
    this.#run = aptWith({ ...work, cwd: folder, progress: [folder] }, { own });
  }

  /**
   * Gets the lists of packages.
   *
   * @param folder an empty folder
   * @throws {WayFailed} if apt is not installed, or gets no lists
   */
  static async in(work: Work, folder: string): Promise<PrivateApt> {
    for (const name of ['lists/partial', 'cache/archives/partial']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    work.say('lists of packages by apt …');
    const apt = new PrivateApt(work, folder);
    const { output } = await apt.#run('apt-get', ['update']);
    // It also fails if another source fails, or a hook of the system that needs rights.
    const lists = await readdir(join(folder, 'lists'));
    if (!lists.some((name) => name.includes('_Packages'))) throw failureOf(output);
    return apt;
  }

  /** The package with the library. */
  choose(): Promise<Package> {
    return choosePackage(this.#run);
  }

  /** Packages that a package needs, without those that Node needs too. */
  dependencies(name: string): Promise<readonly string[]> {
    return dependenciesOf(this.#run, name);
  }

  /**
   * Gets a package and copies a library out of it.
   *
   * @param file name of the library, or a pattern for it
   * @returns the name of the library; `null` if the package does not have it
   * @throws {WayFailed} if the package cannot be had
   */
  async copyLibrary(name: string, file: string | RegExp, into: string): Promise<string | null> {
    const entries = await readdir(await this.#unpacked(name), { recursive: true, withFileTypes: true });
    const found = entries.find((entry) =>
      typeof file === 'string' ? entry.name === file : entry.isFile() && file.test(entry.name),
    );
    // The name by which others need a library is usually a link, which the copy is not.
    if (found !== undefined) await copyFile(join(found.parentPath, found.name), join(into, found.name));
    return found?.name ?? null;
  }

  /** The folder with the contents of a package. */
  async #unpacked(name: string): Promise<string> {
    const unpacked = join(this.#folder, `${name}-unpacked`);
    if (existsSync(unpacked)) return unpacked;
    this.#work.say(`${name} by apt …`);
    const { status, output } = await this.#run('apt-get', ['download', name]);
    const archive = (await readdir(this.#folder)).find((found) => found.startsWith(`${name}_`));
    if (status !== 0 || archive === undefined) throw failureOf(output);
    const settings = { ...this.#work, cwd: this.#folder, progress: [this.#folder] };
    const result = await runProgram('dpkg', ['-x', archive, unpacked], settings);
    if (result.status !== 0) throw failureOf(result.output);
    return unpacked;
  }
}
