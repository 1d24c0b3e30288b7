/** What goes into models of images, and what comes out of classifiers. */
import { SbnnError } from './errors.js';

export interface PixelOptions {
  /** Of the result; default: the picture's own. It is scaled to fit, not cropped. */
  width?: number;
  height?: number;
  /** 3: red, green, blue. 1: grey, by the weights of ITU-R BT.601. Default 3. */
  channels?: 1 | 3;
  /** Each channel becomes (value - mean) * scale, of values from 0 to 255; default 127.5 and 1 / 127.5: -1 to 1. A number, or one a channel. */
  mean?: number | readonly number[];
  scale?: number | readonly number[];
}

export type Picture = ImageData | HTMLCanvasElement | OffscreenCanvas | HTMLImageElement | HTMLVideoElement | ImageBitmap | VideoFrame;

function sizeOf(picture: Picture): [number, number] {
  const p = picture as any;
  return [
    p.displayWidth ?? p.videoWidth ?? p.naturalWidth ?? p.width,
    p.displayHeight ?? p.videoHeight ?? p.naturalHeight ?? p.height,
  ];
}

function dataOf(picture: Picture, width: number, height: number): Uint8ClampedArray {
  const [w, h] = sizeOf(picture);
  const isData = typeof ImageData !== 'undefined' && picture instanceof ImageData;
  const plain = isData || ('data' in picture && (picture as any).data instanceof Uint8ClampedArray);
  if (plain && w === width && h === height) return (picture as ImageData).data as Uint8ClampedArray;
  if (typeof OffscreenCanvas === 'undefined') {
    throw new SbnnError('argument', `pixels: expected pixels of ${width} x ${height} where there is no canvas, found ${w} x ${h}`);
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  let drawn = picture as Exclude<Picture, ImageData>;
  if (isData) {
    const whole = new OffscreenCanvas(w, h);
    whole.getContext('2d')!.putImageData(picture as ImageData, 0, 0);
    drawn = whole;
  }
  context.drawImage(drawn, 0, 0, width, height);
  return context.getImageData(0, 0, width, height).data;
}

/**
 * A picture as floats, [height, width, channels]: what a model of images reads.
 * @throws SbnnError where means or scales are not one a channel.
 */
export function pixels(picture: Picture, options: PixelOptions = {}): Float32Array {
  const [w, h] = sizeOf(picture);
  const { width = w, height = h, channels = 3, mean = 127.5, scale = 1 / 127.5 } = options;
  const spread = (name: string, value: number | readonly number[]): readonly number[] => {
    const all = typeof value === 'number' ? new Array<number>(channels).fill(value) : value;
    if (all.length === channels) return all;
    throw new SbnnError('argument', `${name}: expected ${channels} numbers, found ${all.length}`);
  };
  const means = spread('mean', mean);
  const scales = spread('scale', scale);
  const rgba = dataOf(picture, width, height);
  const result = new Float32Array(width * height * channels);
  for (let from = 0, to = 0; to < result.length; from += 4, to += channels) {
    if (channels === 1) {
      const grey = 0.299 * rgba[from]! + 0.587 * rgba[from + 1]! + 0.114 * rgba[from + 2]!;
      result[to] = (grey - means[0]!) * scales[0]!;
    } else {
      for (let c = 0; c < 3; ++c) result[to + c] = (rgba[from + c]! - means[c]!) * scales[c]!;
    }
  }
  return result;
}

/** The k largest values and where they stand, largest first; equal ones in their order. */
export function topK(values: ArrayLike<number>, k: number): { index: number; value: number }[] {
  const best: { index: number; value: number }[] = [];
  for (let index = 0; index < values.length; ++index) {
    const value = values[index]!;
    let at = best.length;
    while (at > 0 && best[at - 1]!.value < value) --at;
    if (at < k) best.splice(at, 0, { index, value });
    if (best.length > k) best.pop();
  }
  return best;
}
