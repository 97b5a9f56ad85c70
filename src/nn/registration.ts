import { InputError } from '../errors.js';
import { formatShape } from '../graph/shape.js';
import { kindOf } from '../kind.js';
import type { Forwarding } from '../tensor/forwarding.js';
import { Parameter } from '../tensor/state.js';
import { Layer } from './layer.js';

/**
 * Throws if a layer used a parameter in its forward that its network does not know. Such a parameter is
 * neither trained nor saved, and no other check reports it.
 *
 * @param parameter one that has got a gradient and belongs to no optimizer
 */
export function requireRegistered(parameter: Parameter): void {
  const chain = layersOf(parameter.usedBy);
  const [network] = chain;
  // If the network knows it, the user left it out of the optimizer, for example to train the last layer
  // alone.
  if (network === undefined || network.parameters().includes(parameter)) return;
  const known = new Set([network, ...network.sublayers()]);
  const place = chain.findIndex((layer) => !known.has(layer));
  const missing = place < 0 ? parameter : chain[place];
  const owner = place < 0 ? chain[chain.length - 1] : chain[place - 1];
  throw new InputError(describe(owner, missing, parameter));
}

/** The layers from the outermost one to the one that used the parameter. */
function layersOf(forwarding: Forwarding | null): Layer[] {
  const chain: Layer[] = [];
  for (let link = forwarding; link !== null; link = link.caller) {
    if (link.layer instanceof Layer) chain.unshift(link.layer);
  }
  return chain;
}

function describe(owner: Layer, missing: Layer | Parameter, { shape }: Parameter): string {
  const kind = kindOf(missing);
  const [field, add] = missing instanceof Parameter ? ['scale', 'addParameter'] : ['layer', 'addSublayer'];
  const withShape = missing instanceof Parameter ? formatShape(shape) : `with a parameter ${formatShape(shape)}`;
  return `[step] ${kindOf(owner)} uses a ${kind} ${withShape} that it does not register: it would be neither trained nor saved.
  Wrong: #${field} = new ${kind}(…), and a ${kind} in a Map, a Set or a variable outside of the layer
  Right: readonly ${field} = new ${kind}(…), also in arrays and plain objects
     or: #${field} = this.${add}('${field}', new ${kind}(…))
  To leave it as it is: ${field}.trainable = false`;
}
