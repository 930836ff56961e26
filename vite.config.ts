import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { wgsl } from './src/node/wgsl/wgsl.js';

/** dist/vite.js holds the parser, so its licence goes along. */
const parserLicence: Plugin = {
  name: 'parser-licence',
  generateBundle() {
    const source = readFileSync('node_modules/wgsl_reflect/LICENSE.md', 'utf8');
    this.emitFile({ type: 'asset', fileName: 'wgsl_reflect.LICENSE.md', source });
  },
};

// `npm run build`: the library, one file an entry, what they share in chunks of its own. WGSL goes in as text.
export default defineConfig({
  plugins: [wgsl(), parserLicence],
  publicDir: false,
  build: {
    target: 'es2022',
    sourcemap: true,
    // A user's bundler minifies; ours would only make errors unreadable.
    minify: false,
    lib: {
      entry: { index: 'src/index.ts', custom: 'src/custom/index.ts', vite: 'src/node/wgsl/wgsl.ts' },
      formats: ['es'],
    },
    rolldownOptions: { external: [/^node:/, 'vite'] },
  },
});
