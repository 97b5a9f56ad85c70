export { CSVLogger, type CSVLoggerOptions } from './csvLogger.js';
export { EarlyStopping, type EarlyStoppingOptions } from './earlyStopping.js';
export {
  LRScheduler,
  type LRSchedulerOptions,
  ReduceLROnPlateau,
  type ReduceLROnPlateauOptions,
} from './learningRate.js';
export { ModelCheckpoint, type ModelCheckpointOptions } from './modelCheckpoint.js';
export type { MonitorMode, MonitorOptions } from './monitor.js';
export { ProgBarLogger, type ProgBarLoggerOptions } from './progBar.js';
export { TensorBoard, type TensorBoardOptions } from './tensorBoard.js';
export { TerminateOnNaN } from './terminateOnNaN.js';
