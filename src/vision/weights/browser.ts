import { FileError, InputError, messageOf } from '../../errors.js';
import { decodePdparams } from '../../io/formats/paddle/params.js';
import { decodeSafetensors } from '../../io/formats/safetensors.js';
import { formatOf, type WeightSource } from './source.js';

export const { loadWeights }: WeightSource = {
  async loadWeights(name, address) {
    if (address === true) {
      throw new InputError(
        `[${name}] pretrained: expected the address of a file, for Paddle's server does not answer browsers, got true; ` +
          'serve the file with your page',
      );
    }
    const format = formatOf(address.replace(/[?#].*$/s, ''));
    if (format === null) {
      throw new FileError(`[weights] ${address}: expected a .safetensors or .pdparams file, got another ending`);
    }
    const bytes = await fetched(address);
    const { tensors } = format === 'safetensors' ? decodeSafetensors(bytes, address) : decodePdparams(bytes, address);
    return { path: address, tensors };
  },
};

async function fetched(address: string): Promise<Uint8Array> {
  try {
    const answer = await fetch(address);
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new Error(`HTTP status ${answer.status}`);
  } catch (error) {
    throw new FileError(`[weights] ${address}: expected a file to fetch, got ${messageOf(error)}`, { cause: error });
  }
}
