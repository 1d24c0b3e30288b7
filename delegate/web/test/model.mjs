// What the tests share: models, native results, arrays.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const web = join(dirname(fileURLToPath(import.meta.url)), '..');
export const root = join(web, '../..');
export const modelFolder = join(root, 'tests/delegate/file/models');
const files = readdirSync(modelFolder).filter((name) => name.endsWith('.tflite'));
export const quantizedNames = files.filter((name) => name.startsWith('int8'));
export const modelNames = files.filter((name) => !name.startsWith('int8'));

const arrays = { '<f4': Float32Array, '|i1': Int8Array, '|u1': Uint8Array };
const descriptions = { float32: '<f4', int8: '|i1', uint8: '|u1' };

/** Numbers for an input, the same each time. */
export function values(shape, seed = 1, type = 'float32') {
  const count = shape.reduce((product, size) => product * size, 1);
  const [scale, zero] = { float32: [1, 0], int8: [120, 0], uint8: [120, 128] }[type];
  const number = (_, i) => scale * Math.sin(i * 0.7 + seed) + zero;
  return arrays[descriptions[type]].from({ length: count }, number);
}

function writeNpy(path, shape, array) {
  const descr = Object.keys(arrays).find((key) => array instanceof arrays[key]);
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const padded = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  writeFileSync(path, Buffer.concat([head, Buffer.from(padded), Buffer.from(array.buffer)]));
}

function readNpy(path) {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  const type = arrays[/'descr': '([^']*)'/.exec(bytes.toString('latin1', 0, start))[1]];
  return new type(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

/** The outputs that the native engine computes. `inputs` are [name, shape, array]. */
export function runNatively(model, inputs) {
  const folder = mkdtempSync(join(tmpdir(), 'sbnn-web-'));
  try {
    const args = inputs.flatMap(([, shape, array], i) => {
      writeNpy(join(folder, `in${i}.npy`), shape, array);
      return ['--input', `${i}=${join(folder, `in${i}.npy`)}`];
    });
    execFileSync(process.env.SBNN_RUN, [model, ...args, '--output-dir', folder, '--rounds', '0']);
    const count = readdirSync(folder).filter((name) => /^\d+\.npy$/.test(name)).length;
    return Array.from({ length: count }, (_, i) => readNpy(join(folder, `${i}.npy`)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The largest difference, relative to the largest value. */
export function difference(found, want) {
  if (found.length !== want.length) return Infinity;
  let most = 0;
  let largest = 1e-6;
  for (let i = 0; i < want.length; ++i) {
    if (Number.isNaN(want[i]) !== Number.isNaN(found[i])) return Infinity;
    largest = Math.max(largest, Math.abs(want[i]) || 0);
    most = Math.max(most, Math.abs(found[i] - want[i]) || 0);
  }
  return most / largest;
}
