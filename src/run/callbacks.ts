import type { Callback } from '../train/callback.js';
import { EarlyStopping, LRScheduler, ModelCheckpoint } from '../train/callbacks/index.js';
import type { Techniques } from './trainingOptions.js';

/**
 * The callbacks that techniques ask for.
 *
 * @param saveDir where the best weights go
 * @param metadata of their file
 */
export function callbacksOf(
  { schedule, saveBest, earlyStopping }: Techniques,
  saveDir: string,
  metadata: Readonly<Record<string, string>>,
): Callback[] {
  const callbacks: Callback[] = [];
  if (schedule !== undefined) callbacks.push(new LRScheduler({ byEpoch: schedule.by === 'epoch' }));
  const monitor = saveBest ?? 'loss';
  if (saveBest !== undefined) {
    callbacks.push(new ModelCheckpoint({ saveDir, saveFreq: 0, saveBest: true, monitor, metadata, verbose: 0 }));
  }
  if (earlyStopping !== undefined) {
    callbacks.push(new EarlyStopping({ monitor, patience: earlyStopping, saveBestModel: false, verbose: 0 }));
  }
  return callbacks;
}
