import * as check from '../../../check.js';
import { FileError } from '../../../errors.js';
import { formatShape } from '../../../graph/shape.js';
import type { ScheduleState } from '../../../optimizer/lr/schedule.js';
import { type TensorData, tensorsByName } from '../tensorData.js';
import { nameOf, printable } from './callables.js';
import { encodeDict, isStoredTensor, parseDict, type StoredTensor, storedDict } from './dict.js';
import { protocolCheck } from './params.js';
import type { Picklable, PickleProtocol } from './pickleWriter.js';
import { paddleSchedule, scheduleOf } from './schedule.js';

/** The contents of a `.pdopt` file. */
export interface PaddleOptimizer {
  /**
   * By Paddle's own name of the parameter (`linear_0.w_0`), then by kind: `velocity`; `moment1`, `moment2`,
   * `beta1_pow_acc`, `beta2_pow_acc`; `master_weight` where a parameter is trained in 16 bits.
   */
  readonly states: ReadonlyMap<string, ReadonlyMap<string, TensorData>>;
  /** State of the learning rate's schedule; null without one. */
  readonly schedule: ScheduleState | null;
}

const scheduleKey = 'LR_Scheduler';
const masterWeightsKey = 'master_weights';
const masterWeight = 'master_weight';

/** Keys of Paddle's optimizers; the number at the end counts optimizers in a process. */
const stateKey = new RegExp(
  '^(.+?)(?:_fp32_master_\\d+)?_(velocity|moment[12]?|moment2_max|beta[12]_pow_acc|inf_norm|momentum|' +
    'mean_square|mean_grad|_avg_squared_grad|_avg_squared_update)_\\d+$',
);

/**
 * Decodes a `.pdopt` file, which `paddle.save(optimizer.state_dict(), path)` wrote.
 *
 * @param bytes of the file. They are overwritten, and the arrays become views of them.
 * @param where names the file in messages
 * @throws {FileError} for bytes that are damaged, hold anything but an optimizer's states, or would have to
 * be run
 */
export function decodePdopt(bytes: Uint8Array, where = 'bytes'): PaddleOptimizer {
  check.requireValue('decodePdopt', 'bytes', bytes, check.instanceOf(Uint8Array));
  check.requireValue('decodePdopt', 'where', where, check.text);
  const states = new Map<string, Map<string, TensorData>>();
  const put = (parameter: string, kind: string, { shape, dtype, data }: StoredTensor) => {
    const kinds = states.get(parameter) ?? new Map<string, TensorData>();
    states.set(parameter, kinds.set(kind, { shape, dtype, data }));
  };
  let schedule: ScheduleState | null = null;
  for (const [key, entry] of parseDict(bytes, where)) {
    const refuse = (expected: string) =>
      new FileError(
        `[paddle] ${where}: '${printable(key)}': expected ${expected}, got ` +
          `${isStoredTensor(entry) ? `an array ${formatShape(entry.shape)}` : nameOf(entry)}; ` +
          "save the optimizer's state dict alone",
      );
    if (key === scheduleKey) {
      schedule = isStoredTensor(entry) ? null : scheduleOf(entry);
      if (schedule === null) throw refuse("the state of a learning rate's schedule");
    } else if (key === masterWeightsKey) {
      if (!(entry instanceof Map)) throw refuse('a dict of arrays');
      for (const [parameter, weight] of storedDict(entry, where)) {
        if (!isStoredTensor(weight)) throw refuse('a dict of arrays');
        put(parameter, masterWeight, weight);
      }
    } else if (key !== 'global_step') {
      // Paddle 1 counted steps there; nothing in Paddle 2 reads it.
      const [, parameter, kind] = stateKey.exec(key) ?? [];
      if (kind === undefined || !isStoredTensor(entry)) throw refuse('the state of a parameter');
      put(parameter, kind, entry);
    }
  }
  return { states, schedule };
}

const paddleOptimizer = check.rule<PaddleOptimizer>('{ states, schedule }, as readPdopt gives it', (x) => {
  if (!check.record.is(x)) return false;
  const { states, schedule } = x as Partial<PaddleOptimizer>;
  const areStates = states instanceof Map && [...states.values()].every(tensorsByName.is);
  const { lastEpoch, lastLr } = schedule ?? {};
  return areStates && (schedule === null || (check.finite.is(lastEpoch) && check.finite.is(lastLr)));
});

/**
 * Encodes a `.pdopt` file, which `paddle.load` and `optimizer.set_state_dict` read in a process with one
 * optimizer.
 *
 * @returns the bytes of the file in pieces. Arrays are not copied.
 */
export function encodePdopt(
  optimizer: PaddleOptimizer,
  options: { readonly protocol?: PickleProtocol } = {},
): Iterable<Uint8Array> {
  check.requireValue('encodePdopt', 'optimizer', optimizer, paddleOptimizer);
  check.requireValue('encodePdopt', 'options', options, check.record);
  const { states, schedule } = optimizer;
  const { protocol = 4 } = options;
  check.requireValue('encodePdopt', 'protocol', protocol, protocolCheck);
  const entries = new Map<string, Picklable>();
  const masterWeights = new Map<string, Picklable>();
  const kinds = new Set([...states.values()].flatMap((own) => [...own.keys()]));
  for (const kind of kinds) {
    for (const [parameter, own] of states) {
      const state = own.get(kind);
      if (state === undefined) continue;
      if (kind === masterWeight) masterWeights.set(parameter, state);
      else entries.set(`${parameter}${own.has(masterWeight) ? '_fp32_master_0' : ''}_${kind}_0`, state);
    }
  }
  // Paddle turns the arrays into tensors that its table names, or all if there is none: those in a dict need
  // the latter.
  const names = masterWeights.size > 0 ? null : new Map([...entries.keys()].map((key) => [key, key]));
  if (masterWeights.size > 0) entries.set(masterWeightsKey, masterWeights);
  if (schedule !== null) entries.set(scheduleKey, paddleSchedule(schedule));
  return encodeDict(entries, names, protocol);
}
