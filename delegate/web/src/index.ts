/** Sparse `.tflite` models in browsers and Node, faster the more zeros their weights have. */
import { LocalModel } from './local.js';
import { prefetch } from './module.js';
import { RemoteModel } from './remote.js';
import { bytesOf, type Source } from './source.js';
import type { LoadOptions, Model } from './types.js';

export { SbnnError, type ErrorCode } from './errors.js';
export { pixels, topK, type Picture, type PixelOptions } from './helpers.js';
export type { Source } from './source.js';
export type * from './types.js';

/**
 * Loads a model. Its file is read once and not kept.
 *
 * @param source where the model is, or its bytes. In Node a path or a file: URL too.
 * @throws SbnnError where it can't be had, is damaged, or has operators that the engine can't run:
 *   the message lists all of them. What `options.signal` was aborted with, if it was.
 */
export async function load(source: Source, options: LoadOptions = {}): Promise<Model> {
  if (options.worker !== true) prefetch(options); // the engine's code comes while the model does
  const bytes = await bytesOf(source, options.onProgress, options.signal);
  options.signal?.throwIfAborted();
  return options.worker === true ? RemoteModel.load(bytes, options) : LocalModel.load(bytes, options);
}
