import { useCallback, useEffect, useState } from 'preact/hooks';
import type { ApiError } from '../src/studio/api.js';

/** An answer of the server that is no success. */
export class ServerError extends Error {
  constructor(
    /** `input`, `internal`, `token` …; `away` if the server did not answer. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function answered<T>(address: string, init: RequestInit): Promise<T> {
  const response = await fetch(address, init).catch((error: unknown) => {
    if (init.signal?.aborted) throw error;
    throw new ServerError('away', String(error));
  });
  if (response.ok) return (await response.json()) as T;
  const { error, code } = (await response.json().catch(() => ({
    error: `${response.status} ${response.statusText}`,
    code: 'internal',
  }))) as ApiError;
  throw new ServerError(code, error);
}

type Query = Readonly<Record<string, string | number | null | undefined>>;

/** Address of a request. */
export function apiAddress(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([key, value]) => (value == null ? [] : [[key, String(value)]]));
  const text = new URLSearchParams(given).toString();
  return `/api/${path}${text === '' ? '' : `?${text}`}`;
}

/** Reads from the server. @throws {ServerError} */
export function read<T>(address: string, signal: AbortSignal | null = null): Promise<T> {
  return answered<T>(address, { signal });
}

/** Sends an object, and gives the answer. @throws {ServerError} @public */
export function send<T>(path: string, body: unknown = {}): Promise<T> {
  return answered<T>(apiAddress(path), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export interface Loaded<T> {
  /** Null until it has arrived. Stays while it is read again. */
  readonly data: T | null;
  readonly error: ServerError | null;
  readonly reload: () => void;
}

/** Reads an address, and again when it changes. @param address null for nothing */
export function useServer<T>(address: string | null): Loaded<T> {
  const [state, setState] = useState<{ address: string | null; data: T | null; error: ServerError | null }>({
    address: null,
    data: null,
    error: null,
  });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    if (address === null) return;
    const control = new AbortController();
    read<T>(address, control.signal).then(
      (data) => setState({ address, data, error: null }),
      (error: unknown) => {
        if (control.signal.aborted) return;
        const known = error instanceof ServerError ? error : new ServerError('internal', String(error));
        setState(({ data, address: before }) => ({ address, data: before === address ? data : null, error: known }));
      },
    );
    return () => control.abort();
  }, [address, times]);
  const reload = useCallback(() => setTimes((n) => n + 1), []);
  const isOwn = state.address === address;
  return { data: isOwn ? state.data : null, error: isOwn ? state.error : null, reload };
}
