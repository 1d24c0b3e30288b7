import { type Source } from './source.js';
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
export declare function load(source: Source, options?: LoadOptions): Promise<Model>;
