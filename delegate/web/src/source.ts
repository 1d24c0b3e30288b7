/** From whatever a user names to the bytes of a model. */
import { SbnnError } from './errors.js';
import { readLocally } from './platform.js';
import type { Progress } from './types.js';

export type Source = string | URL | Response | ArrayBuffer | Uint8Array;

export async function bytesOf(
  source: Source,
  onProgress: ((progress: Progress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Response !== 'undefined' && source instanceof Response) return read(source, source.url, onProgress, signal);
  if (typeof source !== 'string' && !(source instanceof URL)) {
    throw new SbnnError('argument', `expected a URL, a Response, an ArrayBuffer or a Uint8Array, found ${typeof source}`);
  }
  const local = await readLocally(source).catch((error: Error) => {
    throw new SbnnError('network', `${source}: expected a model, found ${error.message}`);
  });
  if (local !== undefined) return local;
  let response: Response;
  try {
    response = await fetch(source, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw new SbnnError('network', `${source}: expected a model, found ${(error as Error).message}`);
  }
  return read(response, String(source), onProgress, signal);
}

async function read(
  response: Response,
  name: string,
  onProgress: ((progress: Progress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (!response.ok) {
    throw new SbnnError('network', `${name}: expected a model, found HTTP ${response.status} ${response.statusText}`);
  }
  if (response.body === null) throw new SbnnError('network', `${name}: expected a model, found an empty answer`);
  // (Of what is sent compressed, the length is that of what is sent.)
  const told = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = told === null ? undefined : Number(told);
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  const reader = response.body.getReader();
  for (;;) {
    if (signal?.aborted) {
      await reader.cancel();
      signal.throwIfAborted();
    }
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress?.({ loaded, total });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  // A server's page in place of a file that it does not have.
  const type = response.headers.get('content-type') ?? '';
  if (type.startsWith('text/html')) {
    throw new SbnnError('network', `${name}: expected a model, found a page of HTML (${loaded} bytes)`);
  }
  return bytes;
}
