// The package in a real browser: SBNN_BROWSER=chrome (Debian's Chromium, the default) or firefox.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { isolated, serve } from '../serve.mjs';
import { difference, modelFolder, modelNames, runNatively, values, web } from './model.mjs';
import { launch, makeProject, makeSite, open } from './site.mjs';

const name = 'seed_280.tflite';
const quick = process.env.SBNN_WEB_QUICK === '1';
let site;
let browser;
let inputs; // [name, shape, array]
let want;

before(async () => {
  site = await makeSite();
  browser = await launch(process.env.SBNN_BROWSER ?? 'chrome');
  const { load } = await import('sbnn-web');
  const model = await load(join(modelFolder, name));
  inputs = model.inputs.map((i) => [i.name, i.shape, values(i.shape)]);
  want = runNatively(join(modelFolder, name), inputs);
  model.dispose();
});

after(async () => {
  await browser?.close();
  site?.close();
});

const numbers = () => inputs.map(([, , array]) => Array.from(array));
const expectRight = (outputs) => {
  assert.equal(outputs.length, want.length);
  outputs.forEach((output, i) => assert.ok(difference(output, want[i]) < 1e-5, `output ${i}`));
};

/** Loads and runs in the page; returns outputs as arrays, and the report. */
const loadAndRun = (page, url, options, given = numbers()) =>
  page.evaluate(
    async (url, options, given) => {
      const progress = [];
      const model = await window.sbnn.load(url, { ...options, onProgress: (p) => progress.push(p) });
      const outputs = await model.run(given.map((array) => Float32Array.from(array)));
      const report = await model.report();
      model.dispose();
      return { outputs: Object.values(outputs).map((o) => Array.from(o)), report, progress };
    },
    url,
    options,
    given,
  );

const refusal = (page, url, options = {}) =>
  page.evaluate((url, options) => window.sbnn.load(url, options).then(() => 'loaded', (e) => `${e.name} ${e.code}: ${e.message}`), url, options);

test('one thread, as native', async () => {
  const page = await open(browser, `${site.url}/open/`);
  const { outputs, report, progress } = await loadAndRun(page, `/models/${name}`, {});
  expectRight(outputs);
  assert.equal(report.threads, 1);
  assert.notEqual(report.module, 'threads');
  assert.equal(progress.at(-1).loaded, progress.at(-1).total);
  assert.deepEqual(report.remarks, []);
  await page.close();
});

test('threads in an isolated page, on it and in a worker', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/isolated/`);
  for (const worker of [false, true]) {
    const { outputs, report } = await loadAndRun(page, `/models/${name}`, { threads: 2, worker });
    expectRight(outputs);
    assert.deepEqual([report.module, report.threads, report.worker, report.remarks], ['threads', 2, worker, []]);
  }
  await page.close();
});

test('without isolation one thread, and the report says why', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/open/`);
  const { outputs, report } = await loadAndRun(page, `/models/${name}`, { threads: 2 });
  expectRight(outputs);
  assert.equal(report.threads, 1);
  assert.match(report.remarks[0], /1 thread in place of 2: the page is not cross-origin isolated/);
  await page.close();
});

test('every module runs every model', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/isolated/`);
  for (const model of modelNames) {
    const shapes = await page.evaluate(async (url) => {
      const loaded = await window.sbnn.load(url);
      const inputs = loaded.inputs;
      loaded.dispose();
      return inputs;
    }, `/models/${model}`);
    const given = shapes.map((i) => [i.name, i.shape, values(i.shape)]);
    const native = runNatively(join(modelFolder, model), given);
    for (const module of ['plain', 'relaxed', 'threads']) {
      const options = { module, threads: module === 'threads' ? 2 : 1 };
      const { outputs, report } = await loadAndRun(page, `/models/${model}`, options, given.map(([, , a]) => Array.from(a)));
      assert.equal(report.module, module);
      outputs.forEach((output, i) => assert.ok(difference(output, native[i]) < 1e-5, `${model} ${module} output ${i}`));
    }
  }
  await page.close();
});

test('under a strict content security policy', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/strict/`);
  const violations = await page.evaluate(async (url, given) => {
    const seen = [];
    document.addEventListener('securitypolicyviolation', (event) => seen.push(event.violatedDirective));
    for (const worker of [false, true]) {
      const model = await window.sbnn.load(url, { worker });
      await model.run(given.map((array) => Float32Array.from(array)));
      model.dispose();
    }
    return seen;
  }, `/models/${name}`, numbers());
  assert.deepEqual(violations, []);
  await page.close();
});

test('in a module worker and in a service worker', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/isolated/`);
  const fromWorker = await page.evaluate(
    (data) =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = (event) => resolve(event.data.outputs.map((o) => Array.from(o)));
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage({ ...data, inputs: data.inputs.map((a) => Float32Array.from(a)) });
      }),
    { name, inputs: numbers() },
  );
  expectRight(fromWorker);
  if (process.env.SBNN_BROWSER !== 'firefox') {
    const fromService = await page.evaluate(
      async (data) => {
        const registration = await navigator.serviceWorker.register('/service.js', { type: 'module' });
        const worker = registration.active ?? registration.waiting ?? registration.installing;
        const channel = new MessageChannel();
        const answer = new Promise((resolve) => (channel.port1.onmessage = (event) => resolve(event.data)));
        worker.postMessage({ ...data, inputs: data.inputs.map((a) => Float32Array.from(a)) }, [channel.port2]);
        const { outputs, error } = await answer;
        if (error) throw new Error(error);
        return outputs.map((o) => Array.from(o));
      },
      { name, inputs: numbers() },
    );
    expectRight(fromService);
  }
  await page.close();
});

test('from another origin: one thread, and the report says so', { skip: quick }, async () => {
  const page = await browser.newPage();
  await page.goto(`${site.url}/isolated/`);
  await page.evaluate(async (cdn) => {
    window.sbnn = await import(`${cdn}/sbnn-web/index.js`);
  }, site.cdn);
  const { outputs, report } = await loadAndRun(page, `/models/${name}`, { threads: 2 });
  expectRight(outputs);
  assert.equal(report.threads, 1);
  assert.match(report.remarks[0], /1 thread in place of 2: workers can't be started from here/);
  assert.match(await refusal(page, `/models/${name}`, { worker: true }), /expected the package on the page's own origin/);
  await page.close();
});

test('errors say what was expected and what was found', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/open/`);
  assert.match(await refusal(page, '/models/none.tflite'), /SbnnError network: .*expected a model, found HTTP 404/);
  assert.match(await refusal(page, '/page.tflite'), /SbnnError network: .*expected a model, found a page of HTML/);
  assert.match(await refusal(page, 'http://127.0.0.1:1/x.tflite'), /SbnnError network: /);
  const results = await page.evaluate(async (url) => {
    const text = (promise) => promise.then(() => 'resolved', (e) => `${e.name} ${e.code}: ${e.message}`);
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    const model = await window.sbnn.load(bytes);
    const stop = new AbortController();
    const aborted = text(window.sbnn.load(url, { signal: stop.signal, onProgress: () => stop.abort() }));
    stop.abort();
    return {
      truncated: await text(window.sbnn.load(bytes.slice(0, bytes.length / 2))),
      size: await text(model.run([new Float32Array(3)])),
      memory: await text(model.resize({ [model.inputs[0].name]: [16384, 256, 64, model.inputs[0].shape[3]] })),
      aborted: await aborted,
    };
  }, `/models/${name}`);
  assert.match(results.truncated, /SbnnError model: /);
  assert.match(results.size, /SbnnError argument: input '.*': expected \d+ numbers, .* found 3/);
  assert.match(results.memory, /SbnnError /);
  assert.match(results.aborted, /AbortError/);
  await page.close();
});

test('a hundred models, one after the other', { skip: quick }, async () => {
  const page = await open(browser, `${site.url}/isolated/`);
  let loaded = 0;
  // (Ten at a time: the browser has to answer before the driver loses patience.)
  while (loaded < 100) {
    loaded += await page.evaluate(async (url) => {
      let count = 0;
      for (; count < 10; ++count) {
        const model = await window.sbnn.load(url, { threads: count % 2 + 1, worker: count % 4 > 1 });
        await model.run(model.inputs.map((i) => new Float32Array(i.shape.reduce((a, b) => a * b, 1))));
        model.dispose();
      }
      return count;
    }, `/models/${name}`);
  }
  assert.equal(loaded, 100);
  await page.close();
});

const main = `import * as sbnn from 'sbnn-web';
window.sbnn = sbnn;
`;
const bundlers = {
  vite(folder) {
    execFileSync(join(web, 'node_modules/.bin/vite'), ['build', '--outDir', 'out'], { cwd: folder, stdio: 'pipe' });
  },
  webpack(folder) {
    const args = ['--input-type=module', '-e', `
      import webpack from '${join(web, 'node_modules/webpack/lib/index.js')}';
      webpack({ mode: 'production', context: ${JSON.stringify(folder)}, entry: './main.js', output: { path: ${JSON.stringify(join(folder, 'out'))}, filename: 'main.js' } },
        (error, stats) => { if (error || stats.hasErrors()) { console.error(error ?? stats.toString()); process.exit(1); } });`];
    execFileSync(process.execPath, args, { cwd: folder, stdio: 'pipe' });
    cpSync(join(folder, 'index.html'), join(folder, 'out/index.html'));
  },
  esbuild(folder) {
    const args = ['main.js', '--bundle', '--format=esm', '--outfile=out/main.js'];
    execFileSync(join(web, 'node_modules/.bin/esbuild'), args, { cwd: folder, stdio: 'pipe' });
    cpSync(join(folder, 'index.html'), join(folder, 'out/index.html'));
    cpSync(join(folder, 'node_modules/sbnn-web/dist'), join(folder, 'out'), { recursive: true });
  },
};

for (const [bundler, bundle] of Object.entries(bundlers)) {
  test(`bundled by ${bundler}`, { skip: quick }, async () => {
    const folder = makeProject(main);
    try {
      bundle(folder);
      const served = await serve(join(folder, 'out'), { headersFor: () => isolated });
      const page = await open(browser, `${served.url}/`);
      await page.evaluate((bytes) => (window.bytes = Uint8Array.from(bytes)), Array.from(readFileSync(join(modelFolder, name))));
      for (const options of [{}, { threads: 2 }, { worker: true }, { threads: 2, worker: true }]) {
        const result = await page.evaluate(
          async (options, given) => {
            const model = await window.sbnn.load(window.bytes, options);
            const outputs = await model.run(given.map((array) => Float32Array.from(array)));
            const report = await model.report();
            model.dispose();
            return { outputs: Object.values(outputs).map((o) => Array.from(o)), report };
          },
          options,
          numbers(),
        );
        expectRight(result.outputs);
        assert.deepEqual([result.report.threads, result.report.remarks], [options.threads ?? 1, []]);
      }
      await page.close();
      served.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
