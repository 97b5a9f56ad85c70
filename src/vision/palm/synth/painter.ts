import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../../errors.js';
import { drawFundus, type FundusJob } from './draw.js';
import type { PainterAnswer } from './painters.js';

parentPort?.on('message', async (job: FundusJob) => {
  const send = (answer: PainterAnswer) => parentPort?.postMessage(answer);
  await drawFundus(job).then(
    (fundus) => send({ fundus }),
    (error: unknown) => send({ error: messageOf(error) }),
  );
});
