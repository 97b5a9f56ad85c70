import type { Kernel } from '../kernel.js';

// Every element is read completely before any of its results is stored: outputs may be the arrays of the
// inputs.

export const sgdUpdate: Kernel<'sgdUpdate'> = ({ weightDecay }, inputs, outputs) => {
  const parameter = inputs[0].data;
  const gradient = inputs[1].data;
  const rate = inputs[2].data[0];
  const newParameter = outputs[0].data;
  for (let i = 0; i < newParameter.length; i++) {
    const p = parameter[i];
    newParameter[i] = p - rate * (gradient[i] + weightDecay * p);
  }
};

export const momentumUpdate: Kernel<'momentumUpdate'> = (params, inputs, outputs) => {
  const { momentum, weightDecay, nesterov } = params;
  const parameter = inputs[0].data;
  const gradient = inputs[1].data;
  const velocity = inputs[2].data;
  const rate = inputs[3].data[0];
  const newParameter = outputs[0].data;
  const newVelocity = outputs[1].data;
  for (let i = 0; i < newParameter.length; i++) {
    const p = parameter[i];
    const g = gradient[i] + weightDecay * p;
    const v = momentum * velocity[i] + g;
    newParameter[i] = p - rate * (nesterov ? g + momentum * v : v);
    newVelocity[i] = v;
  }
};

/** Kingma and Ba, 2015, in the rearranged form of their section 2, which Paddle computes. */
export const adamUpdate: Kernel<'adamUpdate'> = ({ beta1, beta2, epsilon, weightDecay }, inputs, outputs) => {
  const parameter = inputs[0].data;
  const gradient = inputs[1].data;
  const moment1 = inputs[2].data;
  const moment2 = inputs[3].data;
  const [rate, correction1, correction2, decayFactor] = inputs[4].data;
  const newParameter = outputs[0].data;
  const newMoment1 = outputs[1].data;
  const newMoment2 = outputs[2].data;
  const root = Math.sqrt(correction2);
  const step = (rate * root) / correction1;
  const floor = epsilon * root;
  for (let i = 0; i < newParameter.length; i++) {
    const p = parameter[i];
    const g = gradient[i] + weightDecay * p;
    const m = beta1 * moment1[i] + (1 - beta1) * g;
    const v = beta2 * moment2[i] + (1 - beta2) * g * g;
    newParameter[i] = p * decayFactor - (step * m) / (Math.sqrt(v) + floor);
    newMoment1[i] = m;
    newMoment2[i] = v;
  }
};
