import { InputError } from '../errors.js';

/** Reasons that the page has words of its own for. */
export type RefusalCode = 'token' | 'host' | 'origin' | 'outside' | 'link' | 'gone' | 'unknown' | 'busy';

const statuses: Readonly<Record<RefusalCode, number>> = {
  token: 401,
  host: 403,
  origin: 403,
  outside: 403,
  link: 403,
  gone: 404,
  unknown: 404,
  busy: 409,
};

/** A request that the studio does not carry out. */
export class Refusal extends InputError {
  static override readonly kind: string = 'Refusal';

  constructor(
    readonly code: RefusalCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`[studio] ${message}`, options);
  }

  /** Status of the answer. */
  get statusCode(): number {
    return statuses[this.code];
  }
}
