/**
 * The rooms of src: its folders. A room imports the rooms that stand behind it here, and everything that those import; no other.
 * `.dependency-cruiser.cjs` enforces it, and `node scripts/generateDocs.mjs` makes the diagram of it in docs/architecture.md.
 */
const imports = {
  ground: [],
  graph: ['ground'],
  ops: ['graph'],
  autograd: ['ops'],
  compiler: ['ops'],
  engine: ['compiler'],
  runtime: ['engine'],
  tensor: ['autograd', 'runtime'],
  nn: ['tensor'],
  optimizer: ['nn'],
  statistics: ['ground'],
  metric: ['tensor', 'statistics'],
  io: ['optimizer'],
  vision: ['io'],
  train: ['io', 'metric'],
  model: ['train'],
  report: ['statistics'],
  run: ['report', 'train', 'vision'],
  measure: ['run'],
  sweep: ['measure'],
  setup: ['io'],
  studio: ['run'],
  cli: ['sweep', 'setup', 'studio'],
};

/** Folders and single files of src that are the ground: every room may import them. */
const ground = [
  'check',
  'effect',
  'env',
  'errors',
  'inspection',
  'kind',
  'memory',
  'platform',
  'random',
  'text',
  'version',
];

/** Folders and files of src that belong to a room. */
const namesOf = (room) => (room === 'ground' ? ground : [room]);

/** The rooms that a room may import. */
function reachOf(room, found = new Set()) {
  for (const other of imports[room]) {
    found.add(other);
    reachOf(other, found);
  }
  return found;
}

module.exports = { ground, imports, namesOf, reachOf };
