// The demo page, if `make demo-web` has built it: it runs, is usable with a keyboard, and fits a phone.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { serve } from '../serve.mjs';
import { root } from './model.mjs';
import { launch } from './site.mjs';

const folder = join(root, 'build/web/demo');
const skip = process.env.SBNN_WEB_QUICK === '1' || !existsSync(join(folder, 'models/models.json'));

test('the demo page', { skip }, async () => {
  const site = await serve(folder);
  const browser = await launch(process.env.SBNN_BROWSER ?? 'chrome');
  try {
    for (const [name, width, height] of [
      ['phone', 360, 800],
      ['desktop', 1100, 1200],
    ]) {
      const page = await browser.newPage();
      await page.setViewport({ width, height });
      const errors = [];
      page.on('pageerror', (error) => errors.push(error.message));
      await page.goto(`${site.url}/`);
      await page.waitForFunction(() => document.querySelector('#status').textContent === 'Ready.');
      await page.focus('#samples button:nth-child(3)');
      await page.keyboard.press('Enter');
      await page.focus('#run');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => document.querySelector('#status').textContent === 'Done.', { timeout: 120_000 });
      const shown = await page.evaluate(() => ({
        rows: document.querySelectorAll('#charts tbody tr').length,
        answers: [...document.querySelectorAll('#charts .answer')].map((cell) => cell.textContent).filter((t) => t !== ''),
        engine: document.querySelector('#engine').textContent,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      }));
      assert.equal(shown.rows, 6);
      assert.deepEqual(shown.answers, ['trousers', 'trousers']);
      assert.match(shown.engine, /^Module (plain|relaxed), kernels wasm_\w+, 1 thread/);
      assert.equal(shown.overflow, 0, `${name}: the page is wider than the screen`);
      assert.deepEqual(errors, []);
      mkdirSync(join(root, 'build/web'), { recursive: true });
      await page.screenshot({ path: join(root, `build/web/demo_${name}.png`), fullPage: true });
      await page.close();
    }
  } finally {
    await browser.close();
    site.close();
  }
});
