import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Identity of a process, for the files that it leaves in a folder. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
  /** Start of the process, if the system reports it; the system reuses process numbers. */
  readonly began: string | null;
  /** Identity of the system's start, if the system reports it. */
  readonly boot?: string | null;
  /** Namespace of process numbers, if the system reports it: containers may share a host name. */
  readonly space?: string | null;
}

/** Namespace of process numbers outside of all containers, the same on every Linux. */
const outermost = 'pid:[4026531836]';

let own: Promise<Owner> | null = null;

/** Name of this machine; `unknown` if the system does not say. */
export function hostName(): string {
  try {
    return hostname();
  } catch {
    return 'unknown';
  }
}

/** This process. */
export function thisProcess(): Promise<Owner> {
  own ??= describe();
  return own;
}

/** A process that this one has started. */
export async function childProcess(pid: number): Promise<Owner> {
  return { ...(await thisProcess()), pid, began: (await statusOf(pid))?.began ?? null };
}

async function describe(): Promise<Owner> {
  const { pid } = process;
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null);
  const space = await readlink('/proc/self/ns/pid').catch(() => null);
  const began = (await statusOf(pid))?.began ?? null;
  return { host: hostName(), pid, began, boot: boot?.trim() ?? null, space };
}

/**
 * Whether a process is known to have ended. A process of another machine or container counts as running,
 * because this system does not know it.
 */
export async function hasEnded(owner: Owner): Promise<boolean> {
  return isGone(owner, await thisProcess(), outermost);
}

/** Whether this system knows if the process runs: not one of another machine or container. */
export async function isKnown(owner: Owner): Promise<boolean> {
  return isOf(owner, await thisProcess());
}

/** A process in about 40 characters, all valid in a file name, for {@link hasEndedShort}. */
export function shortOwner({ host, boot, space, pid, began }: Owner): string {
  return [digest(host), digest(boot ?? ''), digest(space ?? ''), pid, began ?? 0].join('-');
}

/** {@link hasEnded} for a text of {@link shortOwner}; false for any other text. */
export async function hasEndedShort(text: string): Promise<boolean> {
  const [, host, boot, space, pid, began] = /^(\w{6})-(\w{6})-(\w{6})-(\d{1,10})-(\d{1,20})$/.exec(text) ?? [];
  if (host === undefined) return false;
  const owner = { host, boot, space, pid: Number(pid), began: began === '0' ? null : began };
  const here = await thisProcess();
  const short = { host: digest(here.host), boot: digest(here.boot ?? ''), space: digest(here.space ?? '') };
  return isGone(owner, short, digest(outermost));
}

type Place = Pick<Owner, 'host' | 'boot' | 'space'>;

const isSameSpace = ({ host, space }: Place, here: Place) =>
  host === here.host && !(space && here.space && space !== here.space);

const isOf = (owner: Place, here: Place) =>
  isSameSpace(owner, here) && !(owner.boot && here.boot && owner.boot !== here.boot);

async function isGone(owner: Owner, here: Place, outside: string): Promise<boolean> {
  const { pid, began, space } = owner;
  if (!isSameSpace(owner, here)) return false;
  // Outside of containers a host runs one system at a time.
  if (!isOf(owner, here)) return space === outside;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = await statusOf(pid);
  // The system may hide processes of other users. A process whose parent has not waited for it has ended too.
  return now !== null && (now.hasEnded || (began !== null && now.began !== began));
}

/** Start and state of a process; null if the system does not report them. */
async function statusOf(pid: number): Promise<{ readonly began: string; readonly hasEnded: boolean } | null> {
  // In a container that sees its host's /proc, numbers mean other processes.
  const self = await readlink('/proc/self').catch(() => null);
  if (self !== String(process.pid)) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The second field is a name in parentheses that may hold anything; the third is the state, the 22nd the
  // time.
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return rest.length < 19 ? null : { began: rest[18], hasEnded: 'ZXx'.includes(state) };
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 6);
