import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { F, io, nn, optimizer, Parameter, setEngine, Tensor, tensor, train } from '../../src/index.js';
import { temporaryFolder } from '../temporary.js';

setEngine('reference');

const x = tensor([[1, 2]]);
const linear = (out = 2) => new nn.Linear(2, out);
const scalar = () => new Parameter(Float32Array.of(1), [1]);

class Nested extends nn.Layer {
  readonly first = linear();
  readonly heads = { a: linear(), deep: { b: [linear()] } };
  readonly blocks = [[linear(), linear()], [linear()]];
  readonly scales = [scalar(), scalar()];
  readonly byName: Record<string, Parameter> = { shift: scalar() };
  readonly settings = { depth: 3, names: ['a', 'b'], sizes: [1, [2]], none: null };

  forward(input: Tensor): Tensor {
    const layers = [this.first, this.heads.a, ...this.heads.deep.b, ...this.blocks.flat()];
    const y = layers.reduce((sum, layer) => layer.forward(sum), input);
    return this.scales.reduce((sum, scale) => sum.mul(scale), y).add(this.byName.shift);
  }
}

describe('layers and parameters', () => {
  const net = new Nested();

  it('in arrays and plain objects, however deep, belong to their layer', () => {
    expect([...net.namedSublayers().keys()]).toEqual([
      'first',
      'heads.a',
      'heads.deep.b.0',
      'blocks.0.0',
      'blocks.0.1',
      'blocks.1.0',
    ]);
    expect([...net.ownState().keys()]).toEqual(['scales.0', 'scales.1', 'byName.shift']);
    expect(net.parameters()).toHaveLength(6 * 2 + 3);
    expect(String(net)).toContain('(heads.deep.b.0): Linear(');
    expect(net.eval().blocks[1][0].training).toBe(false);
  });

  it('there are trained and saved', async () => {
    const sgd = new optimizer.SGD({ parameters: net.parameters(), learningRate: 0.1 });
    const before = await Promise.all(net.parameters().map((p) => p.data()));
    net.forward(x).sum().backward();
    await sgd.step();
    const after = await Promise.all(net.parameters().map((p) => p.data()));
    after.forEach((data, i) => {
      expect(data).not.toEqual(before[i]);
    });
    const path = join(temporaryFolder(), 'nested.safetensors');
    await io.save(net, path);
    const loaded = new Nested();
    expect(loaded.loadStateDict(await io.load(path))).toEqual([]);
    const all = (of: nn.Layer) => Promise.all(of.parameters().map((p) => p.data()));
    expect(await all(loaded)).toEqual(await all(net));
  });

  it('of private fields are registered by name', () => {
    class Private extends nn.Layer {
      #fc = this.addSublayer('fc', linear());
      #scale = this.addParameter('scale', scalar());
      forward(input: Tensor): Tensor {
        return this.#fc.forward(input).mul(this.#scale);
      }
    }
    expect([...new Private().namedParameters().keys()]).toEqual(['scale', 'fc.weight', 'fc.bias']);
  });
});

describe('a step refuses a parameter that was used without being registered', () => {
  class Hidden extends nn.Layer {
    readonly body = linear();
    readonly #head = linear(3);
    forward(input: Tensor): Tensor {
      return this.#head.forward(this.body.forward(input));
    }
  }
  class InMap extends nn.Layer {
    readonly body = linear();
    readonly heads = new Map([['a', linear()]]);
    forward(input: Tensor): Tensor {
      return (this.heads.get('a') as nn.Linear).forward(this.body.forward(input));
    }
  }
  class HiddenParameter extends nn.Layer {
    readonly body = linear();
    readonly #scale = scalar();
    forward(input: Tensor): Tensor {
      return this.body.forward(input).mul(this.#scale);
    }
  }
  class Around extends nn.Layer {
    constructor(readonly inner: nn.Layer) {
      super();
    }
    forward(input: Tensor): Tensor {
      return this.inner.forward(input);
    }
  }

  const step = async (net: nn.Layer, parameters = net.parameters()) => {
    const sgd = new optimizer.SGD({ parameters, learningRate: 0.1 });
    net.forward(x).sum().backward();
    await sgd.step();
  };

  it('in a private field', async () => {
    const net = new Hidden();
    const message = `[step] Hidden uses a Linear with a parameter [2,3] that it does not register: it would be neither trained nor saved.
  Wrong: #layer = new Linear(…), and a Linear in a Map, a Set or a variable outside of the layer
  Right: readonly layer = new Linear(…), also in arrays and plain objects
     or: #layer = this.addSublayer('layer', new Linear(…))
  To leave it as it is: layer.trainable = false`;
    const before = await net.body.weight.data();
    await expect(step(net)).rejects.toThrow(message);
    expect(await net.body.weight.data()).toEqual(before);
  });

  it('in a map, in a sublayer, and a parameter itself', async () => {
    const nameless = new (class extends nn.Layer {
      readonly body = linear();
      readonly #inner = linear();
      forward(input: Tensor): Tensor {
        return this.body.forward(this.#inner.forward(input));
      }
    })();
    await expect(step(nameless)).rejects.toThrow('Layer uses a Linear with a parameter [2,2]');
    await expect(step(new InMap())).rejects.toThrow('InMap uses a Linear with a parameter [2,2]');
    await expect(step(new Around(new Hidden()))).rejects.toThrow('Hidden uses a Linear');
    await expect(step(new nn.Sequential(linear(), new HiddenParameter()))).rejects.toThrow(
      'HiddenParameter uses a Parameter [1] that it does not register',
    );
    await expect(step(new HiddenParameter())).rejects.toThrow("#scale = this.addParameter('scale', new Parameter(…))");
  });

  it('in train() as well', async () => {
    const net = new Hidden();
    const samples = new io.TensorDataset([Tensor.zeros([2, 2]), Tensor.zeros([2], 'int32')]);
    const trainLoader = new io.DataLoader(samples);
    const sgd = new optimizer.SGD({ parameters: net.parameters() });
    const loss = (outputs: Tensor, labels: Tensor) => F.crossEntropy(outputs, labels);
    await expect(train({ network: net, optimizer: sgd, trainLoader, epochs: 1, loss })).rejects.toThrow(
      'Hidden uses a Linear',
    );
  });

  it('but not if it is frozen, belongs to an optimizer, or was left out of one on purpose', async () => {
    const hidden = linear();
    class Uses extends nn.Layer {
      readonly body = linear();
      forward(input: Tensor): Tensor {
        return hidden.forward(this.body.forward(input));
      }
    }
    await expect(step(new Uses())).rejects.toThrow('Uses uses a Linear');
    hidden.trainable = false;
    await step(new Uses());
    hidden.trainable = true;
    const uses = new Uses();
    await step(uses, [...uses.parameters(), ...hidden.parameters()]);
    const net = new nn.Sequential(linear(), linear());
    await step(net, net.sublayers()[1].parameters());
    // No layer runs here.
    const free = scalar();
    const other = scalar();
    free.mul(other).sum().backward();
    await new optimizer.SGD({ parameters: [free] }).step();
  });

  it('and still knows layers whose forward calls that of their base class', async () => {
    class Base extends nn.Layer {
      readonly fc = linear();
      forward(input: Tensor): Tensor {
        return this.fc.forward(input);
      }
    }
    class Derived extends Base {
      readonly #extra = linear();
      override forward(input: Tensor): Tensor {
        return this.#extra.forward(super.forward(input));
      }
    }
    await step(new Base());
    await expect(step(new Derived())).rejects.toThrow('Derived uses a Linear');
  });
});
