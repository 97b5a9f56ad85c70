/** 40 layers with shortcuts: the gradient at some of them. The argument `plain` leaves the shortcuts out. */
import { F, nn, rand, randn, seed, type Tensor } from 'fovea';

const isPlain = process.argv[2] === 'plain';
seed(1);

class Stack extends nn.Layer {
  layers = new nn.Sequential(...Array.from({ length: 40 }, () => new nn.Conv2D(8, 8, 3, { padding: 1 })));

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers.namedChildren().values()) {
      const change = layer.forward(F.relu(y)).mul(0.2);
      y = isPlain ? change : y.add(change);
    }
    return y.mean({ axis: [2, 3] });
  }
}

const net = new Stack();
net
  .forward(randn([2, 8, 16, 16]))
  .mul(rand([2, 8]))
  .sum()
  .backward();
for (const [name, parameter] of net.namedParameters()) {
  if (!/^layers\.(0|10|20|30|39)\.weight$/.test(name)) continue;
  const size = await parameter.grad?.abs().mean().item();
  console.log(`${name.padEnd(16)} mean gradient ${size?.toExponential(2)}`);
}
