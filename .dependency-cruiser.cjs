// Layers; imports only go down (docs of the design: "Layers"). Type-only imports count.
// A line is a layer, from top to bottom; folders of one line are siblings.
const LAYERS = [
  { folders: ['demos', 'bench', 'experiments'] },
  { folders: ['src/train'] },
  { folders: ['src/robust', 'src/theory'] },
  { folders: ['src/nn', 'src/optim', 'src/losses', 'src/metrics', 'src/data'], acquainted: false },
  { folders: ['src/custom'] },
  { folders: ['src/autograd'] },
  { folders: ['src/ops'] },
  { folders: ['src/profile'] },
  { folders: ['src/graph'] },
  { folders: ['src/kernels'] },
  { folders: ['src/device'] },
  { folders: ['src/svg.ts'] },
  { folders: ['src/errors.ts'] },
];

const inside = (folders) => `^(?:${folders.map((folder) => folder.replace('.', '\\.')).join('|')})(?:/|$)`;
const nameOf = (folders) => folders.map((folder) => folder.replace('src/', '').replace('.ts', '')).join('-');

const forbidden = [];
LAYERS.forEach(({ folders, acquainted }, index) => {
  const above = LAYERS.slice(0, index).flatMap((layer) => layer.folders);
  if (above.length > 0) {
    forbidden.push({
      name: `${nameOf(folders)}-imports-up`,
      comment: `${folders.join(', ')} may not import ${above.join(', ')}: imports only go down. Move what both need into the lower layer.`,
      severity: 'error',
      from: { path: inside(folders) },
      to: { path: inside(above) },
    });
  }
  if (acquainted !== false) return;
  for (const folder of folders) {
    forbidden.push({
      name: `${nameOf([folder])}-imports-sibling`,
      comment: `${folders.join(', ')} do not know each other. Move what both need into a lower layer.`,
      severity: 'error',
      from: { path: inside([folder]) },
      to: { path: inside(folders.filter((other) => other !== folder)) },
    });
  }
});

forbidden.push(
  {
    name: 'library-imports-node',
    comment: 'src/node is for Node; a page that imports it breaks.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/node/' },
    to: { path: '^src/node/' },
  },
  {
    name: 'library-imports-node-modules',
    comment: 'The library has no dependencies, nor does it run only in Node.',
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/node/' },
    to: { dependencyTypes: ['npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown', 'core'] },
  },
  {
    name: 'library-imports-index',
    comment: "The public index is the top: inside the library import the thing's own file.",
    severity: 'error',
    from: { path: '^src/', pathNot: '^src/(?:node/|index\\.ts$)' },
    to: { path: '^src/index\\.ts$' },
  },
  {
    name: 'demos-import-internals',
    comment:
      'Demos and experiments are built on the public API only: src/index.ts and src/custom/index.ts, and src/svg.ts for charts. (Benchmarks also run bare kernels of the library.)',
    severity: 'error',
    from: { path: '^(?:demos|experiments)/' },
    to: { path: '^src/', pathNot: '^src/(?:index.ts|svg.ts|custom/index.ts|node/.*)$' },
  },
  {
    name: 'unresolved',
    comment: 'An import that leads nowhere is not checked by the other rules.',
    severity: 'error',
    from: { path: '^src/' },
    to: { couldNotResolve: true },
  },
);

module.exports = {
  forbidden,
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.wgsl$|\\.d\\.wgsl\\.ts$|bench/node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
