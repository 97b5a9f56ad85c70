/** Eight layers: the gradient that arrives at each of them. The argument is the activation. */
import { F, nn, rand, randn, seed, type Tensor } from 'fovea';

const activation = process.argv[2] === 'sigmoid' ? F.sigmoid : F.relu;
seed(1);

class Deep extends nn.Layer {
  layers = new nn.Sequential(
    ...Array.from({ length: 8 }, (_, i) => new nn.Conv2D(i === 0 ? 3 : 16, 16, 3, { padding: 1 })),
  );
  fc = new nn.Linear(16, 2);

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers.namedChildren().values()) y = activation(layer.forward(y));
    return this.fc.forward(y.mean({ axis: [2, 3] }));
  }
}

const net = new Deep();
const score = net
  .forward(randn([4, 3, 32, 32]))
  .mul(rand([4, 2]))
  .sum();
score.backward();
for (const [name, parameter] of net.namedParameters()) {
  if (!name.endsWith('weight')) continue;
  const size = await parameter.grad?.abs().mean().item();
  console.log(`${name.padEnd(18)} mean gradient ${size?.toExponential(2)}`);
}
