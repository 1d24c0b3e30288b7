// The package in Node, against the native engine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync } from 'node:zlib';

import { SbnnError, load, pixels, topK } from 'sbnn-web';
import { difference, modelFolder, modelNames, quantizedNames, runNatively, values, web } from './model.mjs';

const relaxed = Number(process.versions.node.split('.')[0]) >= 22;
const kinds = relaxed ? ['plain', 'relaxed', 'threads'] : ['plain'];
const first = join(modelFolder, modelNames[0]);
const bytesOf = (path) => new Uint8Array(readFileSync(path));
const inputsOf = (model, seed) => Object.fromEntries(model.inputs.map((i) => [i.name, values(i.shape, seed)]));

for (const kind of kinds) {
  test(`module ${kind} computes what the native engine computes`, async (t) => {
    for (const name of [...modelNames, ...quantizedNames]) {
      await t.test(name, async () => {
        const path = join(modelFolder, name);
        const model = await load(path, { module: kind, threads: kind === 'threads' ? 2 : 1 });
        const report = await model.report();
        assert.equal(report.module, kind);
        assert.equal(report.threads, kind === 'threads' ? 2 : 1);
        const inputs = model.inputs.map((i) => [i.name, i.shape, values(i.shape, 1, i.type)]);
        const found = Object.values(await model.run(inputs.map(([, , array]) => array)));
        const want = runNatively(path, inputs);
        assert.equal(found.length, want.length);
        found.forEach((output, i) => assert.ok(difference(output, want[i]) < 1e-5, `output ${i}`));
        model.dispose();
      });
    }
  });
}

test('the best module that the engine takes is chosen', async () => {
  const model = await load(first);
  const report = await model.report();
  assert.equal(report.module, relaxed ? 'relaxed' : 'plain');
  assert.deepEqual(report.remarks, []);
  assert.ok(report.nodes.length > 0 && report.steps.length > 0 && report.memoryBytes > 0);
  model.dispose();
});

test('all sources are the same model', async () => {
  const bytes = bytesOf(first);
  const server = createServer((_, response) => response.end(bytes)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${server.address().port}/model.tflite`;
  const results = [];
  for (const source of [first, bytes, bytes.buffer, url, new URL(url), await fetch(url)]) {
    const model = await load(source);
    results.push(Object.values(model.runSync(inputsOf(model)))[0]);
    model.dispose();
  }
  server.close();
  for (const result of results) assert.deepEqual(result, results[0]);
});

test('a model in a worker answers as one on this thread', async () => {
  const here = await load(first);
  const there = await load(first, { worker: true, profile: true });
  assert.deepEqual(there.inputs, here.inputs);
  assert.deepEqual(there.outputs, here.outputs);
  const inputs = inputsOf(here);
  assert.deepEqual(await there.run(inputs), await here.run(inputs));
  assert.equal((await there.report()).worker, true);
  assert.equal((await there.profile()).runs, 1);
  assert.throws(() => there.runSync(inputs), { name: 'SbnnError', code: 'argument' });
  await assert.rejects(load(bytesOf(first).slice(0, 100), { worker: true }), { code: 'model' });
  const running = there.run(inputs);
  there.dispose();
  await assert.rejects(running, { code: 'disposed' });
  await assert.rejects(there.run(inputs), { code: 'disposed' });
  here.dispose();
});

test('resized, at load and later; a size that does not fit changes nothing', async () => {
  const path = join(modelFolder, 'seed_280.tflite');
  const model = await load(path);
  const { name, shape } = model.inputs[0];
  const wanted = [shape[0] + 1, ...shape.slice(1)];
  const loaded = await load(path, { shapes: { [name]: wanted } });
  assert.deepEqual(loaded.inputs[0].shape, wanted);
  await model.resize({ [name]: wanted });
  const array = values(wanted);
  assert.deepEqual(await model.run([array]), await loaded.run([array]));
  await assert.rejects(model.resize({ [name]: [...shape.slice(0, 3), shape[3] + 1] }), { code: 'argument' });
  assert.deepEqual(await model.run([array]), await loaded.run([array]));
  await assert.rejects(model.resize({ nobody: [1] }), /expected input, found 'nobody'/);
  await assert.rejects(model.resize({ [name]: [1] }), /expected 4 whole numbers above 0/);
  await assert.rejects(model.resize({ [name]: [1, -1, 2, 3] }), { code: 'argument' });
  model.dispose();
  loaded.dispose();
});

test('inputs are checked: expected, found', async () => {
  const model = await load(first);
  const [input] = model.inputs;
  const good = values(input.shape);
  for (const [given, message] of [
    [{}, /input 'input': expected Float32Array, found undefined/],
    [{ other: good }, /inputs: expected input, found 'other'/],
    [[], /inputs: expected 1 \(input\), found 0/],
    [null, /inputs: expected an object or an array, found null/],
    [[new Float64Array(good)], /expected Float32Array, found Float64Array/],
    [[good.slice(1)], new RegExp(`expected ${good.length} numbers, \\[${input.shape.join(', ')}\\], found ${good.length - 1}`)],
  ]) {
    await assert.rejects(model.run(given), (error) => error instanceof SbnnError && error.code === 'argument' && message.test(error.message), String(message));
  }
  await model.run([good]);
  model.dispose();
  await assert.rejects(model.run([good]), { code: 'disposed' });
  model.dispose();
});

test('what is no model is an error that says so', async () => {
  const bytes = bytesOf(first);
  for (const length of [0, 3, 8, 100, bytes.length - 40]) {
    await assert.rejects(load(bytes.slice(0, length)), { name: 'SbnnError', code: 'model' }, `${length} bytes`);
  }
  await assert.rejects(load('/no/such/file.tflite'), { code: 'network' });
  await assert.rejects(load(17), { code: 'argument' });
  await assert.rejects(load(first, { threads: 0 }), /threads: expected a whole number from 1 to 16, found 0/);
  await assert.rejects(load(first, { module: 'fast' }), /expected plain, relaxed or threads, found fast/);
  await assert.rejects(load(first, { signature: 'none' }), /no signature 'none'/);
});

// (Natively ten thousand more are read under ASan: make fuzz-reader.)
test('a damaged file is refused or runs; it never traps', async () => {
  let state = 1;
  const random = (below) => (state = (state * 48271) % 2147483647) % below;
  let refused = 0;
  for (let round = 0; round < 300; ++round) {
    const bytes = bytesOf(join(modelFolder, modelNames[round % modelNames.length]));
    for (let i = 0; i <= random(4); ++i) bytes[random(bytes.length)] = random(256);
    try {
      const model = await load(bytes);
      model.runSync(model.inputs.map((i) => values(i.shape)));
      model.dispose();
    } catch (error) {
      assert.ok(error instanceof SbnnError && error.code !== 'internal', error.stack);
      ++refused;
    }
  }
  assert.ok(refused > 20 && refused < 280, `${refused} of 300 refused`);
});

test('out of memory is an error, and the next model loads', async () => {
  const path = join(modelFolder, 'seed_280.tflite');
  const model = await load(path);
  const { name, shape } = model.inputs[0];
  await assert.rejects(model.resize({ [name]: [1 << 14, 1 << 8, 1 << 6, shape[3]] }), SbnnError);
  model.dispose();
  if (relaxed) {
    const small = await load(path, { threads: 2, memoryLimit: 8 << 20 });
    await assert.rejects(small.resize({ [name]: [1, 1024, 1024, shape[3]] }), { code: 'memory' });
    await small.run([values(shape)]); // as large as before
    small.dispose();
    await assert.rejects(load(path, { threads: 2, memoryLimit: 1 << 20 }), /memoryLimit: expected at least 4194304/);
  }
  (await load(path)).dispose();
});

test('loaded and disposed of again and again: no growth', async () => {
  const once = async () => {
    const model = await load(first, { threads: relaxed ? 2 : 1 });
    model.runSync(inputsOf(model));
    model.dispose();
  };
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  for (let i = 0; i < 10; ++i) await once();
  gc();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 100; ++i) {
    await once();
    gc();
  }
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 100 << 20, `${grown >> 20} MiB more after 100 models`);
});

test('aborted', async () => {
  const gone = AbortSignal.abort(new Error('enough'));
  await assert.rejects(load(first, { signal: gone }), /enough/);
  await assert.rejects(load(bytesOf(first), { signal: gone, worker: true }), /enough/);
});

test('profiled where asked for', async () => {
  const model = await load(first, { profile: true });
  for (let i = 0; i < 3; ++i) model.runSync(inputsOf(model));
  const profile = await model.profile();
  assert.equal(profile.runs, 3);
  assert.ok(profile.least <= profile.median && profile.steps.length > 0);
  model.dispose();
  const other = await load(first);
  await assert.rejects(other.profile(), /expected load\(\.\.\., \{ profile: true \}\)/);
  other.runSync(inputsOf(other));
  other.dispose();
});

test('pixels and top k', () => {
  const data = Uint8ClampedArray.from([0, 127, 255, 9, 255, 0, 10, 9]);
  const picture = { data, width: 2, height: 1 };
  const near = (found, want) => assert.ok(found.every((v, i) => Math.abs(v - want[i]) < 1e-5) && found.length === want.length, String(found));
  near(pixels(picture), [-1, 127 / 127.5 - 1, 1, 1, -1, 10 / 127.5 - 1]);
  near(pixels(picture, { mean: [0, 1, 2], scale: 1 }), [0, 126, 253, 255, -1, 8]);
  near(pixels(picture, { channels: 1, mean: 0, scale: 1 }), [0.587 * 127 + 0.114 * 255, 0.299 * 255 + 1.14]);
  assert.throws(() => pixels(picture, { mean: [1, 2] }), /mean: expected 3 numbers, found 2/);
  assert.deepEqual(topK([1, 5, 3, 5], 2), [{ index: 1, value: 5 }, { index: 3, value: 5 }]);
  assert.deepEqual(topK([1], 3), [{ index: 0, value: 1 }]);
});

test('the package holds what it should, in its size', () => {
  const folder = join(web, 'package');
  const listed = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8' }));
  const files = (Array.isArray(listed) ? listed[0] : Object.values(listed)[0]).files.map((f) => f.path).sort();
  const sources = ['check', 'errors', 'exports', 'helpers', 'index', 'local', 'module', 'platform', 'remote', 'source', 'thread', 'types', 'worker'];
  const modules = ['plain', 'relaxed', 'threads'].map((kind) => `dist/${kind}.wasm`);
  const want = [...sources.flatMap((s) => [`dist/${s}.d.ts`, `dist/${s}.js`]), ...modules, 'README.md', 'package.json'];
  assert.deepEqual(files, want.sort());
  for (const module of modules) {
    const bytes = brotliCompressSync(readFileSync(join(folder, module))).length;
    assert.ok(bytes <= 200_000, `${module}: ${bytes} bytes by brotli`);
  }
});
