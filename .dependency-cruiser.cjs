const { imports, namesOf, reachOf } = require('./scripts/rooms.cjs');

/** A folder or single file of src, as a regular expression. */
const inside = (names) => `^src/(${names.join('|')})(/|\\.ts$)`;

const forbid = (room, others, comment) => ({
  name: `${room}-without-${others.join('-')}`,
  comment,
  severity: 'error',
  from: { path: inside([room]) },
  to: { path: inside(others) },
});

const rooms = Object.keys(imports);

const oneWay = [
  ...rooms
    .map((room) => {
      const allowed = [room, ...reachOf(room)];
      const others = rooms.filter((other) => !allowed.includes(other));
      return {
        name: `imports-of-${room}`,
        comment: `${room} imports ${imports[room].join(', ') || 'no other room'}, and the rooms below (scripts/rooms.cjs)`,
        severity: 'error',
        from: { path: inside(namesOf(room)) },
        to: { path: inside(others.flatMap(namesOf)) },
      };
    })
    .filter(({ to }) => to.path !== inside([])),
  {
    name: 'transforms-are-pure',
    comment: 'transforms know pixels alone: they run in any thread, and in a browser',
    severity: 'error',
    from: { path: '^src/vision/transforms/' },
    to: { path: ['^src/vision/(?!transforms/)', '^src/io/', '(^|/)node_modules/sharp/'] },
  },
  {
    name: 'images-below-datasets',
    comment: 'files of pictures know no data set, and networks know no pictures',
    severity: 'error',
    from: { path: '^src/vision/(images|models)/' },
    to: { path: '^src/vision/(datasets|palm)/' },
  },
  {
    name: 'palm-in-one-folder',
    comment: 'general data sets do not know iChallenge-PM; their public door names it beside them',
    severity: 'error',
    from: { path: '^src/vision/', pathNot: ['^src/vision/palm/', '^src/vision/datasets/index\\.ts$'] },
    to: { path: '^src/vision/palm/' },
  },
  forbid('report', ['tensor', 'engine', 'compiler', 'runtime'], 'a report is made of plain data'),
];

/**
 * Rooms that run in a browser as well as in Node. `#platform`, `#engines` and `#weights` resolve to their versions for
 * browsers here.
 */
const portable = {
  path: [
    inside(['graph', 'ops', 'compiler', 'runtime', 'tensor', 'autograd', 'nn', 'optimizer']),
    inside(['metric', 'statistics', 'train', 'browser']),
    inside(['check', 'effect', 'env', 'errors', 'inspection', 'kind', 'memory', 'random', 'version']),
    inside(['text/(json|list|names|numbers|record|suggest|visible)', 'platform/(browser|platform)']),
    inside(['engine/kernels', 'engine/planned', 'engine/portable', 'engine/reference']),
    '^src/engine/[^/]+\\.ts$',
    inside(['io/data', 'io/formats', 'io/(browser|named|portable|snapshot)', 'io/files/fetched', 'io/weights/browser']),
    inside(['vision/models', 'vision/transforms', 'vision/portable']),
    inside(['vision/images/(browser|digitForm|portable|preprocessing|values)']),
    inside(['vision/weights/(browser|source)']),
  ],
  pathNot: [inside(['engine/engines']), inside(['train/callbacks', 'train/checkpoint', 'train/sampleIdentity'])],
};

/** Packages without Node's modules. */
const portablePackages = ['zod'];

/** A package that one place of the sources wraps, so that the rest does not depend on it. */
const wrappedBy = (name, place) => ({
  name: `${name}-wrapped`,
  comment: `${name} is imported by ${place} alone`,
  severity: 'error',
  from: { path: '^src/', pathNot: `^src/${place}` },
  to: { path: `(^|/)node_modules/${name}/` },
});

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'known-folder',
      comment: 'a new folder of src is a room: it needs a line in scripts/rooms.cjs',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(index|browser)\\.ts$', inside(rooms.flatMap(namesOf))] },
      to: {},
    },
    {
      name: 'public-door',
      comment: 'src/index.ts is for users; the sources import the modules themselves',
      severity: 'error',
      // The programs of the course are written as a user's.
      from: { path: '^src/', pathNot: '^src/studio/course/' },
      to: { path: '^src/(index|browser)\\.ts$' },
    },
    {
      name: 'portable-without-node',
      comment: "only the platform module has Node's modules and what it needs of them",
      severity: 'error',
      from: portable,
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'portable-packages',
      comment: 'packages of rooms that run in browsers: extend portablePackages for one that needs no Node',
      severity: 'error',
      from: portable,
      to: { path: 'node_modules/', pathNot: `node_modules/(${portablePackages.join('|')})/` },
    },
    {
      name: 'portable-imports-portable',
      comment: 'a room that runs in browsers imports no others; types may come from anywhere',
      severity: 'error',
      from: portable,
      to: { path: '^src/', pathNot: portable.path, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'portable-imports-nothing-left-out',
      comment: 'parts of such rooms that need Node',
      severity: 'error',
      from: portable,
      to: { path: portable.pathNot, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-foreign-re-exports',
      comment: 'only src/index.ts and src/browser.ts gather names from several folders',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/', pathNot: '^src/$1/', dependencyTypes: ['export'] },
    },
    {
      name: 'engines-by-the-table',
      comment: 'the sources know engines by src/engine/engine.ts; engines.ts lists them, src/setup gets a library',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(engine/(onednn/|engines\\.ts$)|setup/)' },
      to: { path: '^src/engine/onednn/' },
    },
    {
      name: 'setup-gets-files',
      comment: 'setup knows files and releases of the library, and none of its calls',
      severity: 'error',
      from: { path: '^src/setup/' },
      to: { path: '^src/engine/onednn/', pathNot: '^src/engine/onednn/library\\.ts$' },
    },
    {
      name: 'portable-engine-by-the-table',
      comment:
        'the sources know engines by src/engine/engine.ts; src/engine/portableEngines.ts lists those of browsers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/engine/portable' },
      to: { path: '^src/engine/portable/' },
    },
    {
      name: 'ffi-at-the-bottom',
      comment: 'the bindings of the library know neither lowerings nor the machine code that they run',
      severity: 'error',
      from: { path: '^src/engine/onednn/ffi' },
      to: { path: '^src/engine/onednn/', pathNot: '^src/engine/onednn/(ffi|library)/' },
    },
    {
      name: 'library-before-it-is-opened',
      comment: 'finding the library knows files and versions alone; ffi opens it',
      severity: 'error',
      from: { path: '^src/engine/onednn/library/' },
      to: { path: '^src/engine/', pathNot: '^src/engine/onednn/library/' },
    },
    {
      name: 'planned-knows-no-library',
      comment: 'src/engine/planned serves every engine: it imports none of them',
      severity: 'error',
      from: { path: '^src/engine/planned/' },
      to: { path: '^src/engine/[^/]+/', pathNot: '^src/engine/planned/' },
    },
    {
      name: 'kernels-know-no-engine',
      comment: 'src/engine/kernels is written for every engine with an assembler: it imports none of them',
      severity: 'error',
      from: { path: '^src/engine/kernels/' },
      to: { path: '^src/engine/[^/]+/', pathNot: '^src/engine/kernels/' },
    },
    {
      name: 'planned-without-node',
      comment: 'src/engine/planned runs in browsers too',
      severity: 'error',
      from: { path: '^src/engine/planned/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    wrappedBy('koffi', 'engine/onednn/ffi/'),
    wrappedBy('sharp', 'vision/'),
    wrappedBy('echarts', 'report/'),
    wrappedBy('commander', 'cli/'),
    wrappedBy('fastify', 'studio/'),
    {
      name: 'no-cycles',
      comment: 'modules that import each other, even for types alone, cannot be read one after the other',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-development-packages',
      comment: 'users install without devDependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unlisted-packages',
      comment: 'every import must be resolvable and, if a package, listed in package.json',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'] },
    },
    {
      name: 'sources-only',
      comment: 'src never imports tests, benchmarks, examples or scripts',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(tests|bench|examples|scripts)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['fovea-source', 'import', 'default', 'types'],
    },
  },
};
