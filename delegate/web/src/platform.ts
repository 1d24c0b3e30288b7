/** What differs between browsers and Node. Nothing here runs when the package is imported. */

/** A worker of either. */
export interface Helper {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Whether Node's process waits for it. */
  keepAlive(on: boolean): void;
  terminate(): void;
}

export interface Listeners {
  message(data: any): void;
  error(error: Error): void;
}

type NodeBuiltin = (name: string) => any;

function nodeBuiltin(): NodeBuiltin | undefined {
  // (No import statement: bundlers for browsers would follow it.)
  const process = (globalThis as any).process;
  return process?.versions?.node !== undefined ? process.getBuiltinModule?.bind(process) : undefined;
}

/** The bytes of a file of this package, or of a path in Node; undefined: fetch it. */
export async function readLocally(url: URL | string): Promise<Uint8Array | undefined> {
  const builtin = nodeBuiltin();
  const text = String(url);
  if (builtin === undefined || /^(https?|data|blob):/.test(text)) return undefined;
  const fs = builtin('node:fs/promises');
  return new Uint8Array(await fs.readFile(text.startsWith('file:') ? new URL(text) : text));
}

/** Whether memory can be shared with other threads; if not, why. */
export function whyNoSharedMemory(): string | undefined {
  if (typeof SharedArrayBuffer === 'undefined' || (globalThis as any).crossOriginIsolated === false) {
    return 'the page is not cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)';
  }
  if (typeof Worker === 'undefined' && nodeBuiltin() === undefined) return 'there are no workers here';
  return undefined;
}

/** Listens to a worker of the web's. */
export function overWebWorker(worker: Worker, listeners: Listeners): Helper {
  worker.onmessage = (event) => listeners.message(event.data);
  worker.onerror = (event) => listeners.error(new Error(event.message || 'the worker could not be loaded'));
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    keepAlive: () => {},
    terminate: () => worker.terminate(),
  };
}

/** A worker of Node's on a file beside this one; undefined: this is not Node. */
export function nodeWorker(file: string, listeners: Listeners): Helper | undefined {
  const builtin = nodeBuiltin();
  if (builtin === undefined) return undefined;
  const { Worker } = builtin('node:worker_threads');
  const worker = new Worker(new URL(file, import.meta.url));
  worker.on('message', listeners.message);
  worker.on('error', listeners.error);
  worker.unref();
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    keepAlive: (on) => void (on ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/** Inside of a worker: how to hear and to answer. */
export function inWorker(receive: (message: any) => void): (message: unknown, transfer?: ArrayBuffer[]) => void {
  const builtin = nodeBuiltin();
  const port = builtin === undefined ? undefined : builtin('node:worker_threads').parentPort;
  if (port) {
    port.on('message', receive);
    return (message, transfer = []) => port.postMessage(message, transfer);
  }
  globalThis.onmessage = (event: MessageEvent) => receive(event.data);
  return (message, transfer = []) => (globalThis as any).postMessage(message, transfer);
}
