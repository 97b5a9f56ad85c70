import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { errorsIn, type Piece, programOf, publishedTypes } from './publishedTypes.js';

describe('the published declarations', () => {
  const user: Piece = { place: 'user', code: userCode() };
  const usesInternal: Piece = {
    place: 'internal',
    code: "import { Tensor } from 'fovea';\nTensor.ones([1]).value;",
  };
  let folder: string;
  let program: ts.Program;
  let errors: Map<Piece, string[]>;
  beforeAll(() => {
    folder = publishedTypes();
    ({ program, errors } = programOf([user, usesInternal]));
  });

  it("compile with a user's optimizer, clip, metric, callback and transform", () => {
    expect(errors.get(user)).toEqual([]);
  });

  it('are without errors themselves', () => {
    const files = program.getSourceFiles().map(({ fileName }) => fileName);
    const own = files.filter((file) => file.startsWith(folder) && file.endsWith('.d.ts'));
    expect(own.length).toBeGreaterThan(100);
    expect(own.flatMap((file) => errorsIn(program, file))).toEqual([]);
  });

  it('have no members that are marked as internal', () => {
    const [error, ...others] = errors.get(usesInternal) as string[];
    expect(error).toContain("Property 'value' does not exist on type 'Tensor'");
    expect(others).toEqual([]);
  });

  it('name no type that the package does not export', () => {
    expect(hiddenTypes(program, folder)).toEqual([]);
  });
});

function isHiddenMember(node: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ProtectedKeyword || kind === ts.SyntaxKind.PrivateKeyword);
}

/** Abbreviations of a module, and layers inside of networks, which are layers to all others. */
const abbreviations = new Set([
  'Range',
  'OptionTable',
  'AuxiliaryHead',
  'ConvLayer',
  'ConvPoolLayer',
  'Inception',
  'InceptionStem',
  'ConvBNLayer',
  'ConvNormActivation',
  'MakeFire',
  'PatchEmbed',
  'ActivationName',
]);

/** Types of the package that exported declarations name and that no path from the entry reaches. */
function hiddenTypes(program: ts.Program, folder: string): string[] {
  const checker = program.getTypeChecker();
  const target = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const exported = new Set<ts.Symbol>();
  const gather = (module: ts.Symbol) => {
    for (const symbol of checker.getExportsOfModule(module).map(target)) {
      if (exported.has(symbol)) continue;
      exported.add(symbol);
      if (symbol.flags & ts.SymbolFlags.Module) gather(symbol);
    }
  };
  const source = program.getSourceFile(`${folder}/index.d.ts`) as ts.SourceFile;
  gather(checker.getSymbolAtLocation(source) as ts.Symbol);
  const hidden = new Set<string>();
  const isOwn = (node: ts.Node) => node.getSourceFile().fileName.startsWith(folder);
  for (const symbol of exported) {
    const visit = (node: ts.Node): void => {
      // A base class is shown with its members; what is protected or private is no signature for callers.
      if (ts.isHeritageClause(node) || isHiddenMember(node)) return;
      const name = ts.isTypeReferenceNode(node) ? node.typeName : null;
      const found = name === null ? undefined : checker.getSymbolAtLocation(name);
      if (found !== undefined) {
        const named = target(found);
        const [declaration] = named.declarations ?? [];
        const isTopLevel = declaration !== undefined && ts.isSourceFile(declaration.parent);
        if (isTopLevel && isOwn(declaration) && !exported.has(named) && !abbreviations.has(named.name)) {
          hidden.add(`${symbol.name} names ${named.name}`);
        }
      }
      node.forEachChild(visit);
    };
    for (const declaration of symbol.declarations ?? []) {
      if (!ts.isSourceFile(declaration) && isOwn(declaration)) visit(declaration);
    }
  }
  return [...hidden].sort();
}

function userCode(): string {
  return `
import { Callback, metric, nn, optimizer, Parameter, type Tensor, tensor, type Training, vision } from 'fovea';

class Signs extends optimizer.Optimizer {
  protected readonly stateNames = ['last'];
  protected update(parameter: Tensor, gradient: Tensor, [last]: readonly Tensor[], rate: Tensor): optimizer.Update {
    return { parameter: parameter.sub(gradient.add(last as Tensor).mul(rate)), states: [gradient] };
  }
}

class Halve implements optimizer.GradientClip {
  clip(gradients: readonly Tensor[]): Tensor[] {
    return gradients.map((gradient) => gradient.mul(0.5));
  }
}

class Count implements metric.Metric {
  readonly names = ['count'];
  #count = 0;
  reset(): void {
    this.#count = 0;
  }
  update(_scores: ArrayLike<number>, labels: ArrayLike<number>): void {
    this.#count += labels.length;
  }
  accumulate(): number[] {
    return [this.#count];
  }
}

class Watch extends Callback {
  override onEpochEnd(training: Training): void {
    console.log(training.loss);
  }
}

class Net extends nn.Layer {
  readonly scale = new Parameter(Float32Array.of(1), [1]);
  readonly mean = nn.Buffer.filled([1], 0);
  forward(x: Tensor): Tensor {
    return x.sub(this.mean).mul(this.scale);
  }
}

const net = new Net();
new Signs({ parameters: net.parameters(), learningRate: 0.1, gradClip: new Halve() });
net.forward(tensor([1])).sum().backward();
const values: Float32Array = await net.scale.data('float32');
console.log(values, new Count(), new Watch(), vision.transforms);
`;
}
