import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

// What users get: the packed tarball, installed in an empty project.

const run = promisify(execFile);
const root = await mkdtemp(join(tmpdir(), 'cotangent-package-'));
const project = join(root, 'project');
const installed = join(project, 'node_modules', 'cotangent');
afterAll(() => rm(root, { recursive: true }));

async function npm(...parameters: string[]): Promise<void> {
  await run('npm', [...parameters, '--no-audit', '--no-fund'], { cwd: project, shell: process.platform === 'win32' });
}

beforeAll(async () => {
  // Built and packed from here: prepack builds.
  await run('npm', ['pack', '--pack-destination', root], { cwd: resolve('.'), shell: process.platform === 'win32' });
  const tarball = (await readdir(root)).find((name) => name.endsWith('.tgz')) ?? 'no tarball';
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
  // Offline: a dependency that must be fetched would fail here.
  await npm('install', '--offline', join(root, tarball));
}, 300_000);

test('it brings no other package', async () => {
  expect((await readdir(join(project, 'node_modules'))).filter((name) => !name.startsWith('.'))).toEqual(['cotangent']);
});

test.each(['cotangent', 'cotangent/custom'])('%s is imported, even where there is no GPU', async (entry) => {
  const program = `import * as all from '${entry}'; console.log(Object.keys(all).length);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: project });
  expect(Number(stdout)).toBeGreaterThan(0);
});

async function typeErrors(): Promise<string> {
  const { stdout } = await run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', project], {
    cwd: project,
  }).catch((error: { stdout: string; stderr: string }) => ({
    stdout: `${error.stdout}${error.stderr}` || String(error),
  }));
  return stdout;
}

test('its declarations stand alone', async () => {
  await writeFile(join(project, 'wrong.ts'), "import { optim } from 'cotangent';\noptim.adamww();\n");
  await writeFile(
    join(project, 'use.ts'),
    [
      "import { compile, grad, init, losses, nn, optim, type Tensor } from 'cotangent';",
      "import { defineLoss } from 'cotangent/custom';",
      "import kernel from './kernel.wgsl';",
      'await init();',
      "export const mine = defineLoss({ name: 'mine', source: 'me', wgsl: kernel });",
      'export const code: string = kernel.code;',
      'const model = nn.sequential(nn.linear(4, 2));',
      'const optimizer = optim.adamw(model.parameters(), { learningRate: 1e-3 });',
      'export const step = compile((x: Tensor, y: Tensor) => {',
      '  const loss = losses.crossEntropy(model(x), y);',
      '  optimizer.update(grad(loss, model.parameters()));',
      '  return loss;',
      '});',
      '',
    ].join('\n'),
  );
  // TypeScript 5 knows nothing of WebGPU, nor do these, for want of the DOM: all that ours need of it is one name.
  await writeFile(join(project, 'plain.d.ts'), 'interface AbortSignal {}\n');
  const worlds = [
    { lib: ['ES2023', 'DOM', 'ESNext.Disposable'], files: ['use.ts'] },
    { lib: ['ES2023', 'ESNext.Disposable'], files: ['use.ts', 'plain.d.ts'] },
  ];
  const resolutions = [
    { module: 'ESNext', moduleResolution: 'bundler' },
    { module: 'NodeNext', moduleResolution: 'NodeNext' },
  ];
  for (const { lib, files } of worlds) {
    for (const resolution of resolutions) {
      const compilerOptions = {
        ...resolution,
        lib,
        strict: true,
        noEmit: true,
        target: 'ES2022',
        skipLibCheck: false,
        types: ['cotangent/wgsl'],
      };
      const label = `${resolution.module}, ${lib.join()}`;
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      expect(await typeErrors(), label).toBe('');
      // The other side: a misspelt name is found, so the types did arrive.
      await writeFile(
        join(project, 'tsconfig.json'),
        JSON.stringify({ compilerOptions, files: [...files, 'wrong.ts'] }),
      );
      expect(await typeErrors(), label).toMatch(/^wrong\.ts\(2,7\): error TS2551: .*'adamww'.*\n$/);
    }
  }
});

test('no declaration leads out of the package', async () => {
  const folder = join(installed, 'dist', 'types');
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.d.ts'));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    const code = (await readFile(join(folder, name), 'utf8')).replace(/\/\*[\s\S]*?\*\//g, '');
    expect(code, name).not.toMatch(/(?:from|import\() ?['"][^'"]*\.wgsl['"]/);
  }
});

test('what its README links to is there', async () => {
  const readme = await readFile(join(installed, 'README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path = '']) => path);
  expect(links).toContain('docs/guide.md');
  for (const path of links) await expect(access(join(installed, path)), path).resolves.toBeUndefined();
});

test('its package.json is sound', async () => {
  const { publint } = await import('publint');
  const { formatMessage } = await import('publint/utils');
  const { messages, pkg } = await publint({ pkgDir: installed, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg ?? {}))).toEqual([]);
});

test('its plugin reads a kernel that includes a file of the library', async () => {
  await mkdir(join(project, 'shaders'));
  await writeFile(
    join(project, 'shaders', 'mine.wgsl'),
    '// include common/bits.wgsl   isNan\n@group(0) @binding(0) var<storage, read_write> x: array<f32>;\n@compute @workgroup_size(1) fn mine() { x[0] = select(x[0], 0.0, isNan(x[0])); }\n',
  );
  await writeFile(
    join(project, 'build.js'),
    [
      "import { wgsl } from 'cotangent/vite';",
      `import { build } from ${JSON.stringify(pathToFileURL(resolve('node_modules/vite/dist/node/index.js')).href)};`,
      "await build({ configFile: false, logLevel: 'error', plugins: [wgsl()],",
      "  build: { outDir: 'built', lib: { entry: 'shaders/mine.wgsl', formats: ['es'], fileName: 'mine' } } });",
      "const { default: kernel } = await import('./built/mine.js');",
      'console.log(kernel.entryPoint, kernel.includes[0].name, Object.keys(kernel.bindings).join());',
      '',
    ].join('\n'),
  );
  const { stdout } = await run(process.execPath, ['build.js'], { cwd: project });
  expect(stdout.trim()).toBe('mine common/bits x');
});

test('a page that imports one thing ships little else', async () => {
  const { build } = await import('vite');
  await writeFile(
    join(project, 'page.js'),
    "import { formatShape } from 'cotangent';\nconsole.log(formatShape([1]));\n",
  );
  const result = await build({
    root: project,
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: join(project, 'page.js'), formats: ['es'] } },
  });
  const [output] = [result].flat();
  const code = output !== undefined && 'output' in output ? output.output[0].code : '';
  expect(code.length).toBeGreaterThan(10);
  expect(code).not.toContain('@compute');
  expect(code.length).toBeLessThan(3000);
});
