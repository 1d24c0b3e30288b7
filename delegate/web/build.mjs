// node build.mjs: makes the npm package in package/, and build/web/sbnn-web-VERSION.tgz of it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '../..');
const out = join(here, 'package');
const bazel = process.env.SBNN_BAZEL ?? 'bazel';
const flags = (process.env.SBNN_BAZEL_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
const run = (command, args, options = {}) => execFileSync(command, args, { cwd: here, encoding: 'utf8', ...options });
const tool = (name) => join(here, 'node_modules/.bin', name);

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'dist'), { recursive: true });
const configs = { plain: 'wasm-plain', relaxed: 'wasm', threads: 'wasm-threads' };
const features = ['simd', 'relaxed-simd', 'bulk-memory', 'nontrapping-float-to-int', 'sign-ext', 'mutable-globals'];
for (const [kind, config] of Object.entries(configs)) {
  const options = [...flags, `--config=${config}`, '--noshow_progress'];
  run(bazel, ['build', ...options, '//delegate/web:sbnn.wasm'], { cwd: root, stdio: 'inherit' });
  const bin = run(bazel, ['info', ...options, 'bazel-bin'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  const wanted = [...features, ...(kind === 'threads' ? ['threads'] : [])];
  const file = join(out, `dist/${kind}.wasm`);
  run(tool('wasm-opt'), [
    '-Oz',
    ...wanted.filter((f) => kind !== 'plain' || f !== 'relaxed-simd').map((f) => `--enable-${f}`),
    join(bin, 'delegate/web/sbnn.wasm'),
    '-o',
    file,
  ]);
  const brotli = brotliCompressSync(readFileSync(file)).length;
  console.log(`${kind}.wasm: ${statSync(file).size} bytes, ${brotli} by brotli`);
}
run(tool('tsc'), ['-p', 'tsconfig.json'], { stdio: 'inherit' });

const version = /"(.*)"/.exec(readFileSync(join(root, 'sbnn_tf/version.py'), 'utf8').split('__version__ =')[1])[1];
writeFileSync(
  join(out, 'package.json'),
  JSON.stringify(
    {
      name: 'sbnn-web',
      version,
      description: 'Sparse .tflite models in browsers and Node, faster the more zeros their weights have',
      type: 'module',
      sideEffects: ['./dist/worker.js', './dist/thread.js'],
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './dist/*': './dist/*' },
      files: ['dist'],
      engines: { node: '>=20.16' },
    },
    null,
    2,
  ) + '\n',
);
copyFileSync(join(here, 'README.md'), join(out, 'README.md'));
mkdirSync(join(root, 'build/web'), { recursive: true });
run('npm', ['pack', '--silent', '--pack-destination', join(root, 'build/web')], { cwd: out, stdio: 'inherit' });
