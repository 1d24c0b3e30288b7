// A site with the package, the models and some pages, and a browser to open them with.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';

import { isolated, serve } from '../serve.mjs';
import { modelFolder, web } from './model.mjs';

const page = (script) => `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>test</title>
<script type="module" src="${script}"></script>`;

/** Headers by the first folder of a path. */
const headers = {
  isolated,
  open: {},
  strict: { 'Content-Security-Policy': "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'" },
};

export async function makeSite() {
  const folder = mkdtempSync(join(tmpdir(), 'sbnn-site-'));
  symlinkSync(join(web, 'package/dist'), join(folder, 'sbnn-web'));
  symlinkSync(modelFolder, join(folder, 'models'));
  for (const kind of Object.keys(headers)) {
    mkdirSync(join(folder, kind));
    writeFileSync(join(folder, kind, 'index.html'), page('/test.js'));
  }
  writeFileSync(join(folder, 'test.js'), "import * as sbnn from '/sbnn-web/index.js';\nwindow.sbnn = sbnn;\n");
  writeFileSync(join(folder, 'page.tflite'), '<!doctype html><title>not found</title>');
  const answer = `
    const model = await load('/models/' + data.name);
    const outputs = await model.run(data.inputs);
    const { module, threads } = await model.report();
    model.dispose();`;
  writeFileSync(
    join(folder, 'worker.js'),
    `import { load } from '/sbnn-web/index.js';
onmessage = async ({ data }) => {${answer}
  postMessage({ outputs: Object.values(outputs), module, threads });
};`,
  );
  writeFileSync(
    join(folder, 'service.js'),
    `import { load } from '/sbnn-web/index.js';
addEventListener('message', ({ data, ports }) => {
  (async () => {${answer}
    return { outputs: Object.values(outputs), module, threads };
  })().then((result) => ports[0].postMessage(result), (error) => ports[0].postMessage({ error: String(error.stack) }));
});`,
  );
  const shared = { 'Cross-Origin-Resource-Policy': 'cross-origin', 'Access-Control-Allow-Origin': '*' };
  const site = await serve(folder, {
    headersFor: (path) => headers[path.split('/')[1]] ?? isolated,
    typeFor: (path) => (path === '/page.tflite' ? 'text/html' : undefined),
  });
  const cdn = await serve(folder, { headersFor: () => shared });
  return {
    folder,
    url: site.url,
    cdn: cdn.url,
    close() {
      site.close();
      cdn.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export function launch(browser) {
  if (browser === 'firefox') {
    return puppeteer.launch({ browser, executablePath: process.env.SBNN_FIREFOX ?? '/usr/bin/firefox-esr', headless: true });
  }
  return puppeteer.launch({
    executablePath: process.env.SBNN_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** A page of the site with the package in `window.sbnn`. */
export async function open(browser, url) {
  const opened = await browser.newPage();
  await opened.goto(url);
  await opened.waitForFunction(() => window.sbnn !== undefined);
  return opened;
}

/** A project that has the package installed, to be bundled. */
export function makeProject(main) {
  const folder = mkdtempSync(join(tmpdir(), 'sbnn-bundle-'));
  cpSync(join(web, 'package'), join(folder, 'node_modules/sbnn-web'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  writeFileSync(join(folder, 'main.js'), main);
  writeFileSync(join(folder, 'index.html'), page('./main.js'));
  return folder;
}
