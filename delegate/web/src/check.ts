/** What is given against what a model takes. */
import { SbnnError } from './errors.js';
import type { Inputs, Shape, Shapes, TensorInfo, Values } from './types.js';

const show = (shape: Shape) => `[${shape.join(', ')}]`;

export const arrayOf = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

export const elementCount = (shape: Shape) => shape.reduce((product, size) => product * size, 1);

function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? (value.constructor?.name ?? 'an object') : typeof value;
}

/** In the order of `infos`. */
export function checkInputs(given: Inputs, infos: readonly TensorInfo[]): Values[] {
  if (given === null || typeof given !== 'object') {
    throw new SbnnError('argument', `inputs: expected an object or an array, found ${typeName(given)}`);
  }
  const names = infos.map((info) => info.name);
  const byName = given as Readonly<Record<string, Values>>;
  if (Array.isArray(given)) {
    if (given.length !== infos.length) {
      throw new SbnnError('argument', `inputs: expected ${infos.length} (${names.join(', ')}), found ${given.length}`);
    }
  } else {
    for (const name of Object.keys(byName)) {
      if (!names.includes(name)) {
        throw new SbnnError('argument', `inputs: expected ${names.join(', ')}, found '${name}'`);
      }
    }
  }
  return infos.map((info, i) => {
    const value = Array.isArray(given) ? given[i] : byName[info.name];
    const type = arrayOf[info.type];
    if (!(value instanceof type)) {
      throw new SbnnError('argument', `input '${info.name}': expected ${type.name}, found ${typeName(value)}`);
    }
    const count = elementCount(info.shape);
    if (value.length !== count) {
      throw new SbnnError(
        'argument',
        `input '${info.name}': expected ${count} numbers, ${show(info.shape)}, found ${value.length}`,
      );
    }
    return value;
  });
}

/** All inputs' shapes, with those that are given in place of what they were. */
export function checkShapes(given: Shapes, infos: readonly TensorInfo[]): Shape[] {
  for (const name of Object.keys(given)) {
    const info = infos.find((i) => i.name === name);
    if (info === undefined) {
      throw new SbnnError('argument', `shapes: expected ${infos.map((i) => i.name).join(', ')}, found '${name}'`);
    }
    const shape = given[name]!;
    const whole = Array.isArray(shape) && shape.every((d) => Number.isInteger(d) && d > 0 && d <= 1 << 24);
    if (!whole || shape.length !== info.shape.length) {
      throw new SbnnError(
        'argument',
        `shape of '${name}': expected ${info.shape.length} whole numbers above 0, as ${show(info.shape)}, found ${show([...shape])}`,
      );
    }
  }
  return infos.map((info) => given[info.name] ?? info.shape);
}
