import { FileError, InputError } from '../../errors.js';
import { fetched } from '../../io/files/fetched.js';
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
    const bytes = await fetched('weights', address);
    const { tensors } = format === 'safetensors' ? decodeSafetensors(bytes, address) : decodePdparams(bytes, address);
    return { path: address, tensors };
  },
};
