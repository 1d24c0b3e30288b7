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
    sbnn_worker(): void;
    sbnn_workers(): number;
    __stack_pointer: WebAssembly.Global;
    __tls_size: WebAssembly.Global;
    __wasm_init_tls(address: number): void;
}
/** Zero-terminated text in the module's memory. */
export declare function readText(memory: WebAssembly.Memory, address: number): string;
/** What wasi-libc and module.cc want of their host. `fail` throws. */
export declare function importsFor(memory: () => WebAssembly.Memory, fail: (what: string) => never): WebAssembly.Imports;
/** What a thread gets to begin with. */
export interface ThreadStart {
    module: WebAssembly.Module;
    memory: WebAssembly.Memory;
    stackTop: number;
    tls: number;
}
/** Whether this engine takes such modules. */
export declare function takes(kind: ModuleKind): boolean;
