// node run.mjs MODELS OUT.json [--threads N] [--rounds N] [--loads N] [--browser chrome|firefox] [--network NAME]
// [--zeros 0,50,90] [--plain]:
// times engines in a browser, all by turns, each in pages of its own.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { serve } from '../serve.mjs';
import { launch } from '../test/site.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '12' },
    loads: { type: 'string', default: '2' },
    browser: { type: 'string', default: 'chrome' },
    network: { type: 'string', default: 'mobilenet_v1' },
    zeros: { type: 'string', default: '0,30,50,70,90' },
    plain: { type: 'boolean', default: false },
  },
});
const [models, out] = positionals.map((path) => resolve(path));
const threads = Number(options.threads);
const runsAtOnce = 10;
const site = mkdtempSync(join(tmpdir(), 'sbnn-bench-'));
symlinkSync(join(here, 'node_modules'), join(site, 'node_modules'));
symlinkSync(join(here, '../package/dist'), join(site, 'sbnn-web'));
symlinkSync(models, join(site, 'models'));
for (const name of ['engines.js', 'tfjs_mobilenet.js']) symlinkSync(join(here, name), join(site, name));
const map = { imports: { '@litertjs/wasm-utils': '/node_modules/@litertjs/wasm-utils/dist/index.js' } };
writeFileSync(
  join(site, 'index.html'),
  `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${JSON.stringify(map)}</script>`,
);

const fileOf = (zeros) => `${options.network}_${zeros}.tflite`;
const rows = [];
for (const zeros of options.zeros.split(',').map(Number)) {
  rows.push({ engine: 'sbnn-web', zeros });
  if (options.plain) rows.push({ engine: 'sbnn-web, plain SIMD', zeros });
}
const onnx = (file) => file.replace('.tflite', '.onnx');
const exported = existsSync(join(models, onnx(fileOf(0))));
const peers = [
  'LiteRT.js',
  ...(options.plain ? ['LiteRT.js, plain SIMD'] : []),
  ...(exported ? ['onnxruntime-web'] : []),
  'tfjs-tflite',
  ...(options.network === 'mobilenet_v1' ? ['tfjs-backend-wasm'] : []),
];
for (const engine of peers) rows.push({ engine, zeros: 0 });
for (const row of rows) {
  const file = fileOf(row.zeros);
  Object.assign(row, { file: row.engine === 'onnxruntime-web' ? onnx(file) : file, times: [], cpu: [], first: [], load: [] });
}

/** Milliseconds that the browser's pages have had of a CPU (Linux): on a busy machine these say more than a clock does. */
function cpuTime(browserPid) {
  const parents = new Map();
  const renderers = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
      if (/--type=renderer|-contentproc/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) renderers.push(Number(pid));
    } catch {
      // It has ended.
    }
  }
  const ours = (pid) => pid === browserPid || (parents.has(pid) && ours(parents.get(pid)));
  let nanoseconds = 0;
  for (const pid of renderers.filter(ours)) {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    }
  }
  return nanoseconds / 1e6;
}

const server = await serve(site);
const browser = await launch(options.browser);
try {
  for (let load = 0; load < Number(options.loads); ++load) {
    const pages = [];
    for (const row of rows) {
      const page = await browser.newPage();
      await page.goto(`${server.url}/`);
      const came = await page
        .evaluate(
          async (engine, model, threads) => (await import('/engines.js')).prepare(engine, model, threads),
          row.engine,
          `/models/${row.file}`,
          threads,
        )
        .catch((error) => ({ error: error.message.split('\n')[0] }));
      if (came.error !== undefined) {
        row.error = came.error;
        console.error(`${row.engine}, ${row.file}: ${came.error}`);
        await page.close();
        continue;
      }
      row.first.push(came.first);
      row.load.push(came.load);
      row.answer = [came.largest, came.value];
      pages.push([row, page]);
    }
    for (const [row, page] of pages) {
      await page.evaluate(() => window.time(20)); // the engine's tiers
      row.times.push([]);
      row.cpu.push([]);
    }
    for (let round = 0; round < Number(options.rounds); ++round) {
      for (const [row, page] of pages.toSorted(() => Math.random() - 0.5)) {
        const before = cpuTime(browser.process().pid);
        row.times.at(-1).push(...(await page.evaluate((runs) => window.time(runs), runsAtOnce)));
        row.cpu.at(-1).push((cpuTime(browser.process().pid) - before) / runsAtOnce);
      }
    }
    for (const [, page] of pages) await page.close();
  }
  const version = await browser.version();
  const median = (a) => a.toSorted((x, y) => x - y)[a.length >> 1];
  // Of the best page load: V8 leaves one in ten of an engine's slow for good.
  const best = (loads) => Math.min(...loads.map(median));
  const result = { date: new Date().toISOString().slice(0, 10), cpu: cpus()[0].model, cores: cpus().length, load: loadavg()[0], browser: version, threads, network: options.network, rounds: options.rounds, loads: options.loads };
  result.rows = rows.map(({ times, cpu, first, load, ...row }) =>
    times.length === 0 ? row : { ...row, runs: times.flat().length, least: Math.min(...times.flat()), median: best(times), cpu: best(cpu), worst: Math.max(...cpu.map(median)), first: Math.min(...first), load: Math.min(...load) },
  );
  writeFileSync(out, JSON.stringify(result, null, 1) + '\n');
  for (const row of result.rows) {
    console.log(`${row.engine.padEnd(24)} ${String(row.zeros).padStart(3)} %  least ${row.least?.toFixed(2)} median ${row.median?.toFixed(2)} cpu ${row.cpu?.toFixed(2)} (${row.worst?.toFixed(2)}) first ${row.first?.toFixed(1)} ms ${row.error ?? row.answer}`);
  }
} finally {
  await browser.close();
  server.close();
  rmSync(site, { recursive: true });
}
