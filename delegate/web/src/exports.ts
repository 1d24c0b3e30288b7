import type { ModuleKind } from './types.js';

/** What module.cc exports. Addresses are numbers; the module's memory may grow, and then move. */
export interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  sbnn_allocate(bytes: number): number;
  sbnn_free(address: number): void;
  sbnn_text(): number;
  sbnn_load(bytes: number, size: number, signature: number, threads: number, profile: number): number;
  sbnn_resize(dims: number): number;
  sbnn_describe(): void;
  sbnn_input(i: number): number;
  sbnn_output(i: number): number;
  sbnn_run(): number;
  sbnn_records(profile: number): void;
  // Of a module with threads (thread_pool_workers.cc, and what the linker adds):
  sbnn_worker(): void;
  sbnn_workers(): number;
  __stack_pointer: WebAssembly.Global;
  __tls_size: WebAssembly.Global;
  __wasm_init_tls(address: number): void;
}

/** Zero-terminated text in the module's memory. */
export function readText(memory: WebAssembly.Memory, address: number): string {
  const bytes = new Uint8Array(memory.buffer, address);
  // (A decoder takes no view of shared memory.)
  return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
}

/** What wasi-libc and module.cc want of their host. `fail` throws. */
export function importsFor(memory: () => WebAssembly.Memory, fail: (what: string) => never): WebAssembly.Imports {
  const badFile = () => 8; // WASI's errno of a file that is not open: there are none
  return {
    sbnn: { fail: (what: number) => fail(readText(memory(), what)) },
    wasi_snapshot_preview1: {
      clock_time_get(_clock: number, _precision: bigint, result: number) {
        const nanoseconds = BigInt(Math.round(performance.now() * 1e6));
        new DataView(memory().buffer).setBigUint64(result, nanoseconds, true);
        return 0;
      },
      proc_exit: (code: number) => fail(`exit ${code}`),
      fd_close: badFile,
      fd_fdstat_get: badFile,
      fd_fdstat_set_flags: badFile,
      fd_prestat_get: badFile,
      fd_prestat_dir_name: badFile,
      fd_read: badFile,
      fd_seek: badFile,
      fd_write: badFile,
      path_open: badFile,
      environ_get: () => 0,
      environ_sizes_get(count: number, bytes: number) {
        const view = new DataView(memory().buffer);
        view.setUint32(count, 0, true);
        view.setUint32(bytes, 0, true);
        return 0;
      },
    },
  };
}

/** What a thread gets to begin with. */
export interface ThreadStart {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  stackTop: number;
  tls: number;
}

// The smallest modules that hold an instruction of the feature: i8x16.relaxed_swizzle, and an
// atomic load of shared memory.
const probes: Record<Exclude<ModuleKind, 'plain'>, number[]> = {
  relaxed: [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
    253, 128, 2, 11,
  ],
  threads: [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2,
    0, 26, 11,
  ],
};
const plainProbe = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Whether this engine takes such modules. */
export function takes(kind: ModuleKind): boolean {
  const validates = (bytes: number[]) => WebAssembly.validate(new Uint8Array(bytes));
  if (kind === 'plain') return validates(plainProbe);
  return validates(probes.relaxed) && (kind === 'relaxed' || validates(probes.threads));
}
