/** Measures onnxruntime-node: inference in float32 of the model in `--model`. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { args, imageShape, randomArray, serve, versionOf } from './worker.mjs';

async function makeStep() {
  const session = await InferenceSession.create(args.model, {
    intraOpNumThreads: args.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const shape = imageShape();
  const images = new Tensor('float32', randomArray(shape.reduce((product, size) => product * size)), shape);
  return async () => (await session.run({ images })).outputs.data;
}

await serve(makeStep, versionOf('onnxruntime-node'));
