/** The modules of WebAssembly: which one, and how it comes. */
import { SbnnError } from './errors.js';
import { takes } from './exports.js';
import { readLocally, whyNoSharedMemory } from './platform.js';
import type { ModuleKind } from './types.js';

/** What was chosen, and why it is not what was asked for. */
export interface Choice {
  kind: ModuleKind;
  threads: number;
  remarks: string[];
}

export function choose(threads: number, wanted: ModuleKind | undefined): Choice {
  if (!Number.isInteger(threads) || threads < 1 || threads > 16) {
    throw new SbnnError('argument', `threads: expected a whole number from 1 to 16, found ${threads}`);
  }
  if (wanted !== undefined && !['plain', 'relaxed', 'threads'].includes(wanted)) {
    throw new SbnnError('argument', `module: expected plain, relaxed or threads, found ${String(wanted)}`);
  }
  if (wanted !== undefined && !takes(wanted)) {
    throw new SbnnError('argument', `module: expected one that this engine takes, found ${wanted}`);
  }
  if (!takes('plain')) throw new SbnnError('internal', 'expected an engine with WebAssembly SIMD, found one without');
  const remarks: string[] = [];
  const best: ModuleKind = takes('relaxed') ? 'relaxed' : 'plain';
  if (threads > 1 && (wanted ?? 'threads') === 'threads') {
    const why = takes('threads') ? whyNoSharedMemory() : 'this engine lacks relaxed SIMD or shared memory';
    if (why === undefined) return { kind: 'threads', threads, remarks };
    remarks.push(`1 thread in place of ${threads}: ${why}`);
  } else if (threads > 1) {
    remarks.push(`1 thread in place of ${threads}: the module ${wanted} has no others`);
  }
  return { kind: wanted === undefined || wanted === 'threads' ? best : wanted, threads: 1, remarks };
}

// (Written out, so that bundlers see them.)
const urls: Record<ModuleKind, () => URL> = {
  plain: () => new URL('./plain.wasm', import.meta.url),
  relaxed: () => new URL('./relaxed.wasm', import.meta.url),
  threads: () => new URL('./threads.wasm', import.meta.url),
};

// Compiled once, whoever loads how many models.
const compiled = new Map<ModuleKind, Promise<WebAssembly.Module>>();

export function moduleOf(kind: ModuleKind): Promise<WebAssembly.Module> {
  let module = compiled.get(kind);
  if (module === undefined) {
    module = compile(urls[kind]());
    compiled.set(kind, module);
    module.catch(() => compiled.delete(kind)); // the next one tries again
  }
  return module;
}

/** Lets the module come that these options will want. Whoever then asks for it is told what went wrong. */
export function prefetch({ threads = 1, module }: { threads?: number; module?: ModuleKind }): void {
  moduleOf(choose(threads, module).kind).catch(() => {});
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const bytes = await readLocally(url);
  if (bytes !== undefined) return WebAssembly.compile(bytes as BufferSource);
  const response = await fetch(url);
  if (!response.ok) {
    throw new SbnnError('network', `${url}: expected the module, found HTTP ${response.status} ${response.statusText}`);
  }
  // Streaming wants the type application/wasm, which not every server says.
  if (response.headers.get('content-type')?.startsWith('application/wasm') && WebAssembly.compileStreaming) {
    return WebAssembly.compileStreaming(response);
  }
  return WebAssembly.compile(await response.arrayBuffer());
}
