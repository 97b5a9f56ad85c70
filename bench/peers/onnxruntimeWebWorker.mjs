/** Measures onnxruntime-web in WebAssembly: inference in float32 of the model in `--model`. */
import { env, InferenceSession, Tensor } from 'onnxruntime-web';
import { args, imageShape, randomArray, serve, versionOf } from './worker.mjs';

env.wasm.numThreads = args.threads;

async function makeStep() {
  const session = await InferenceSession.create(args.model, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  const shape = imageShape();
  const images = new Tensor('float32', randomArray(shape.reduce((product, size) => product * size)), shape);
  return async () => (await session.run({ images })).outputs.data;
}

await serve(makeStep, versionOf('onnxruntime-web'));
// Its workers would keep the process alive.
process.exit(0);
