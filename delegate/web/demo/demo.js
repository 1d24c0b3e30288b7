import { load, pixels, topK } from './sbnn-web/index.js';

const rounds = 15;
const byId = (id) => document.getElementById(id);
const canvas = byId('canvas');
const context = canvas.getContext('2d', { willReadFrequently: true });
const networks = {
  'MobileNet-v1': { width: 224, height: 224 },
  'Fashion-MNIST': { width: 28, height: 28, channels: 1, mean: 0, scale: 1 / 255 },
};

const json = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
};
const say = (text) => (byId('status').textContent = text);
const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

function clear() {
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const button of byId('samples').children) button.setAttribute('aria-pressed', 'false');
}

function addSample({ pixels: grey, label }, labels) {
  const small = element('canvas', { width: 28, height: 28 });
  const image = new ImageData(28, 28);
  grey.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  small.getContext('2d').putImageData(image, 0, 0);
  const button = element('button', { type: 'button', title: labels[label] }, small);
  button.setAttribute('aria-label', labels[label]);
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    clear();
    button.setAttribute('aria-pressed', 'true');
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
  });
  byId('samples').append(button);
  return button;
}

function letDraw() {
  const at = (event) => [event.offsetX, event.offsetY].map((v) => (v * canvas.width) / canvas.clientWidth);
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    context.beginPath();
    context.moveTo(...at(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 0) return;
    Object.assign(context, { lineWidth: 26, lineCap: 'round', lineJoin: 'round', strokeStyle: '#ddd' });
    context.lineTo(...at(event));
    context.stroke();
  });
}

const percent = (share) => (share === 0 ? 'dense' : `${Math.round(100 * share)} %`);

function chart(network, rows, labels) {
  const slowest = Math.max(...rows.map((row) => row.time));
  const body = element('tbody');
  for (const row of rows) {
    const bar = element('div', { className: 'bar' });
    bar.style.width = `${(100 * row.time) / slowest}%`;
    body.append(
      element(
        'tr',
        {},
        element('th', { scope: 'row', textContent: percent(row.zeros) }),
        element('td', { className: 'chart' }, bar),
        element('td', { className: 'number', textContent: `${row.time.toFixed(row.time < 1 ? 3 : 1)} ms` }),
        element('td', { className: 'number', textContent: `${(rows[0].time / row.time).toFixed(1)}×` }),
        element('td', { className: 'answer', textContent: row.answer ?? '' }),
      ),
    );
  }
  return element('table', {}, element('caption', { textContent: `${network}, by share of zeros` }), body);
}

/** Loads all models, runs them by turns, and shows times and answers. */
async function run({ models, labels }) {
  const threads = Number(byId('threads').value);
  const loaded = [];
  try {
    for (const [i, model] of models.entries()) {
      say(`Loading ${model.network}, ${percent(model.zeros)} (${i + 1} of ${models.length})…`);
      loaded.push(await load(`models/${model.file}`, { threads, worker: true, profile: true }));
    }
    const inputs = models.map((model) => pixels(canvas, networks[model.network]));
    const outputs = [];
    for (let round = 0; round < rounds; ++round) {
      say(`Running, ${round + 1} of ${rounds}…`);
      for (const [i, model] of loaded.entries()) {
        outputs[i] = await model.run([inputs[i]]);
      }
    }
    const profiles = await Promise.all(loaded.map((model) => model.profile()));
    const rows = models.map((model, i) => {
      const [output] = Object.values(outputs[i]);
      const named = model.network === 'Fashion-MNIST';
      return { ...model, time: profiles[i].median, answer: named ? labels[topK(output, 1)[0].index] : undefined };
    });
    byId('charts').replaceChildren(
      ...Object.keys(networks).map((network) => chart(network, rows.filter((row) => row.network === network), labels)),
    );
    const report = await loaded[0].report();
    byId('engine').textContent =
      `Module ${report.module}, kernels ${report.isa}, ${report.threads} thread${report.threads > 1 ? 's' : ''}. ${report.remarks.join('; ')}`;
    say('Done.');
  } finally {
    for (const model of loaded) model.dispose();
  }
}

async function start() {
  const [catalogue, samples] = await Promise.all([json('models/models.json'), json('models/samples.json')]);
  clear();
  letDraw();
  samples.map((sample) => addSample(sample, catalogue.labels))[0].click();
  byId('clear').addEventListener('click', clear);
  byId('run').disabled = false;
  byId('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    byId('run').disabled = true;
    await run(catalogue).catch((error) => say(`${error.message}`));
    byId('run').disabled = false;
  });
  say('Ready.');
}

start().catch((error) => say(error.message));
