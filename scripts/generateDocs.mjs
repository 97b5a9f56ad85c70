/**
 * Writes the generated parts of docs/architecture.md: the diagram of rooms, from the imports in src, and LeNet's graph before
 * and after the passes. `--check` reports differences and writes nothing. A part stands between `<!-- generated: NAME -->`
 * and `<!-- end -->`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const page = 'docs/architecture.md';

function run(args, env = {}) {
  const options = { encoding: 'utf8', maxBuffer: 1 << 26, env: { ...process.env, ...env } };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr || stdout}`);
  return { stdout, stderr };
}

/** Rooms that every other one may import. */
const ground = ['platform', 'text'];

/** Files that gather names for users. */
const doors = ['src/index.ts', 'src/browser.ts'];

/** The room of a file of src: its folder. Single files belong to the ground, but for autograd.ts; the doors for users have none. */
function roomOf(file) {
  const [, room, rest] = /^src\/([^/.]+)(.*)$/.exec(file) ?? [];
  if (room === undefined || doors.includes(file)) return null;
  return ground.includes(room) || (rest === '.ts' && room !== 'autograd') ? 'ground' : room;
}

/** Rooms that each room imports. */
function importsOfRooms() {
  const cruise = ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--output-type', 'json'];
  const { modules } = JSON.parse(run(cruise).stdout);
  const imports = new Map();
  for (const { source, dependencies } of modules) {
    const room = roomOf(source);
    if (room === null) continue;
    if (!imports.has(room)) imports.set(room, new Set());
    for (const { resolved } of dependencies) {
      const other = roomOf(resolved);
      if (other !== null && other !== room) imports.get(room).add(other);
    }
  }
  return imports;
}

/** All rooms that a room reaches. */
function reachOf(imports, room, seen = new Set()) {
  for (const other of imports.get(room) ?? []) {
    if (seen.has(other)) continue;
    seen.add(other);
    reachOf(imports, other, seen);
  }
  return seen;
}

/** Mermaid: an arrow for each import that does not follow from others. Rooms that import each other share a box. */
function diagramOfRooms() {
  const imports = importsOfRooms();
  const reach = new Map([...imports.keys()].map((room) => [room, reachOf(imports, room)]));
  const boxOf = (room) =>
    [...reach.keys()].filter((other) => other === room || (reach.get(room).has(other) && reach.get(other).has(room)));
  const nameOf = (room) => boxOf(room).sort().join('_');
  const boxes = [...new Set([...reach.keys()].map(nameOf))].sort();
  const below = (box) => {
    const rooms = box.split('_');
    return new Set([...reach.get(rooms[0])].map(nameOf).filter((other) => other !== box));
  };
  const lines = boxes.map((box) => `  ${box}["${box.replaceAll('_', ' ↔ ')}"]`);
  for (const box of boxes) {
    const others = [...below(box)];
    const direct = others.filter((other) => !others.some((between) => below(between).has(other)));
    for (const other of direct.sort()) lines.push(`  ${box} --> ${other}`);
  }
  return `\`\`\`mermaid\nflowchart TD\n${lines.join('\n')}\n\`\`\``;
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
