import type { Progress } from './types.js';
export type Source = string | URL | Response | ArrayBuffer | Uint8Array;
export declare function bytesOf(source: Source, onProgress: ((progress: Progress) => void) | undefined, signal: AbortSignal | undefined): Promise<Uint8Array>;
