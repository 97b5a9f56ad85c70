/**
 * Writes the generated parts of docs/architecture.md: the diagram of rooms, from scripts/rooms.cjs and the imports
 * in src, and LeNet's graph before and after the passes. `--check` reports differences and writes nothing. A part stands
 * between `<!-- generated: NAME -->` and `<!-- end -->`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import rooms from './rooms.cjs';

const page = 'docs/architecture.md';

function run(args, env = {}) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr || stdout}`);
  return { stdout, stderr };
}

/** The room of a file of src; null for the doors of users. */
function roomOf(file) {
  const name = /^src\/([^/.]+)/.exec(file)?.[1];
  if (name === undefined || /^src\/(index|browser)\.ts$/.test(file)) return null;
  return rooms.ground.includes(name) ? 'ground' : name;
}

/** Mermaid: an arrow for each room that another one imports directly. */
function diagramOfRooms() {
  const cruise = ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--output-type', 'json'];
  const { modules } = JSON.parse(run(cruise).stdout);
  const used = new Set(
    modules.flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => `${roomOf(source)} --> ${roomOf(resolved)}`),
    ),
  );
  const names = Object.keys(rooms.imports);
  const arrows = names.flatMap((room) => rooms.imports[room].map((other) => `${room} --> ${other}`));
  const unused = arrows.filter((arrow) => !used.has(arrow));
  if (unused.length > 0) throw new Error(`scripts/rooms.cjs: no import follows ${unused.join(', ')}`);
  // `graph` alone is a word of Mermaid's own.
  const box = (room) => `${room}_room["${room}"]`;
  const lines = [...names.map(box), ...arrows.map((arrow) => arrow.replace(/(\w+) --> (\w+)/, '$1_room --> $2_room'))];
  return `\`\`\`mermaid\nflowchart TD\n${lines.map((line) => `  ${line}`).join('\n')}\n\`\`\``;
}

const lenet = `
  import { noGrad, setEngine, tensor, vision } from './dist/index.js';
  await setEngine('onednn');
  const net = new vision.models.course.LeNet({ numClasses: 10 });
  net.eval();
  const images = tensor(new Float32Array(10 * 28 * 28)).reshape([10, 1, 28, 28]);
  await images.data();
  console.log('GRAPH');
  await noGrad(() => net.forward(images)).data();
`;

/** LeNet's prediction of ten images, as text. */
function graphs() {
  const { stderr } = run(['--input-type=module', '-e', lenet], { FOVEA_DEBUG: '3', FOVEA_VALIDATE: '' });
  const last = (title) => {
    const start = stderr.lastIndexOf(`${title}\n`) + title.length + 1;
    return `\`\`\`\n${stderr.slice(start, stderr.indexOf('\n[', start))}\n\`\`\``;
  };
  return { before: last('graph as captured'), after: last('graph after all passes') };
}

const parts = { rooms: diagramOfRooms() };
try {
  const { before, after } = graphs();
  Object.assign(parts, { 'LeNet before the passes': before, 'LeNet after the passes': after });
} catch (error) {
  console.error(`LeNet's graphs stay as they are: oneDNN is needed to make them\n${error.message}`);
}
const old = readFileSync(page, 'utf8');
const text = old.replace(/(<!-- generated: (.*?) -->\n)[\s\S]*?(<!-- end -->)/g, (whole, begin, name, end) => {
  if (parts[name] === undefined) return whole;
  return `${begin}\n${parts[name]}\n\n${end}`;
});
if (!process.argv.includes('--check')) writeFileSync(page, text);
else if (text !== old) {
  console.error(`${page} is not up to date: node scripts/generateDocs.mjs`);
  process.exitCode = 1;
}
