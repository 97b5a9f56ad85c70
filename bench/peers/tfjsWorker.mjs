/**
 * Measures LeNet in TensorFlow.js. Variants: cpu; wasm, which has no gradient of a convolution's filter and so infers
 * only.
 */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { args, learningRate, momentum, serve, versionOf } from './worker.mjs';

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`);
await tf.setBackend(args.variant);

function makeStep() {
  const { layers } = tf;
  const net = tf.sequential({
    layers: [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 6, kernelSize: 5, activation: 'sigmoid' }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.activation({ activation: 'sigmoid' }),
      layers.conv2d({ filters: 16, kernelSize: 5 }),
      layers.maxPooling2d({ poolSize: 2, strides: 2 }),
      layers.conv2d({ filters: 120, kernelSize: 4 }),
      layers.flatten(),
      layers.dense({ units: 64, activation: 'sigmoid' }),
      layers.dense({ units: 10 }),
    ],
  });
  const images = tf.randomUniform([args.batch, 28, 28, 1]);
  const labels = tf.oneHot(tf.randomUniform([args.batch], 0, 10, 'int32'), 10);
  const optimizer = tf.train.momentum(learningRate, momentum);

  async function train() {
    const loss = optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(labels, net.apply(images, { training: true })),
      true,
    );
    await loss.data();
    loss.dispose();
  }

  async function infer() {
    const outputs = tf.tidy(() => net.apply(images));
    await outputs.data();
    outputs.dispose();
  }

  return args.mode === 'train' ? train : infer;
}

await serve(makeStep, versionOf('@tensorflow/tfjs'));
