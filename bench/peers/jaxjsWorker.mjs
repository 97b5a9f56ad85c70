/** Measures LeNet in jax-js on its WebAssembly backend, the whole step compiled by `jit`. */
import { blockUntilReady, defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';
import { args, learningRate, lenetShapes, momentum, randomArray, serve, versionOf } from './worker.mjs';

await init('wasm');
defaultDevice('wasm');

const random = (shape, scale) =>
  np
    .array(
      randomArray(
        shape.reduce((product, size) => product * size),
        scale,
      ),
    )
    .reshape(shape);
const conv = (x, weight, bias) => lax.convGeneralDilated(x, weight, [1, 1], 'VALID').add(bias.reshape([1, -1, 1, 1]));
const pool = (x) => lax.reduceWindow(x, np.max, [2, 2], [2, 2]);

// A call consumes the arrays that it is given; `ref` keeps one.
function logits(p, x) {
  let y = nn.sigmoid(pool(nn.sigmoid(conv(x, p.w1, p.b1))));
  y = pool(conv(y, p.w2, p.b2));
  y = conv(y, p.w3, p.b3).reshape([-1, 120]);
  y = nn.sigmoid(np.dot(y, p.w4).add(p.b4));
  return np.dot(y, p.w5).add(p.b5);
}

const lossAndGradients = valueAndGrad((p, x, y) =>
  nn
    .logSoftmax(logits(p, x))
    .mul(y)
    .sum()
    .mul(-1 / args.batch),
);
const trainingStep = jit((parameters, velocities, x, y) => {
  const [loss, gradients] = lossAndGradients(tree.ref(parameters), x, y);
  const [p, v] = [{}, {}];
  for (const name of Object.keys(parameters)) {
    v[name] = velocities[name].mul(momentum).add(gradients[name]);
    p[name] = parameters[name].sub(v[name].ref.mul(learningRate));
  }
  return [loss, p, v];
});
const forward = jit(logits);

function makeStep() {
  let parameters = Object.fromEntries(
    Object.entries(lenetShapes).map(([name, [shape, inputs]]) => [name, random(shape, 1 / Math.sqrt(inputs))]),
  );
  let velocities = tree.map((array) => np.zeros(array.shape), tree.ref(parameters));
  const images = random([args.batch, 1, 28, 28]);
  const targets = new Float32Array(args.batch * 10);
  for (let i = 0; i < args.batch; i++) targets[10 * i + (i % 10)] = 1;
  const labels = np.array(targets).reshape([args.batch, 10]);

  async function train() {
    let loss;
    [loss, parameters, velocities] = trainingStep(parameters, velocities, images.ref, labels.ref);
    await blockUntilReady([loss, parameters, velocities]);
    await loss.jsAsync();
  }

  const infer = async () => forward(tree.ref(parameters), images.ref).data();

  return args.mode === 'train' ? train : infer;
}

await serve(makeStep, versionOf('@jax-js/jax'));
// Its workers would keep the process alive.
process.exit(0);
