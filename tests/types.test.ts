import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = process.cwd();
let folder: string;
let entry: string;

/** Published declarations, as `npm run build` writes them. */
beforeAll(() => {
  mkdirSync(join(root, '.setup'), { recursive: true });
  // Inside the project, so that the types of Node and of the packages are found.
  folder = mkdtempSync(join(root, '.setup/types-'));
  const { imports } = JSON.parse(readFileSync('package.json', 'utf8'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }).replaceAll('./dist/', './'));
  const { config } = ts.readConfigFile('tsconfig.build.json', ts.sys.readFile);
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const emitted = { ...options, outDir: folder, emitDeclarationOnly: true, sourceMap: false };
  ts.createProgram(fileNames, emitted).emit();
  entry = join(folder, 'index.d.ts');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
};

/** Errors of a program of a user that imports the published declarations. */
function errorsOf(code: string): string[] {
  const file = join(folder, 'user.mts');
  writeFileSync(file, code.replace("'fovea'", "'./index.js'"));
  const program = ts.createProgram([file], options);
  // The declarations of Node and of packages are not ours to check.
  return program
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(folder))
    .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
    .map(({ file: at, messageText }) => `${at?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}

describe('the published declarations', () => {
  it("compile with a user's optimizer, clip, metric, callback and transform", () => {
    expect(errorsOf(userCode)).toEqual([]);
  });

  it('have no members that are marked as internal', () => {
    const [error, ...others] = errorsOf("import { Tensor } from 'fovea';\nTensor.ones([1]).value;");
    expect(error).toContain("Property 'value' does not exist on type 'Tensor'");
    expect(others).toEqual([]);
  });

  it('name no type that the package does not export', () => {
    const program = ts.createProgram([entry], options);
    expect(hiddenTypes(program)).toEqual([]);
  });
});

function isHiddenMember(node: ts.Node): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
  return modifiers.some(({ kind }) => kind === ts.SyntaxKind.ProtectedKeyword || kind === ts.SyntaxKind.PrivateKeyword);
}

/** Abbreviations of a module, and layers inside of networks, which are layers to all others. */
const abbreviations = new Set(['Range', 'OptionTable', 'AuxiliaryHead', 'ConvLayer', 'ConvPoolLayer', 'Inception']);

/** Types of the package that exported declarations name and that no path from the entry reaches. */
function hiddenTypes(program: ts.Program): string[] {
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
  const source = program.getSourceFile(entry) as ts.SourceFile;
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

const userCode = `
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
