import type { ModuleKind } from './types.js';
/** What was chosen, and why it is not what was asked for. */
export interface Choice {
    kind: ModuleKind;
    threads: number;
    remarks: string[];
}
export declare function choose(threads: number, wanted: ModuleKind | undefined): Choice;
export declare function moduleOf(kind: ModuleKind): Promise<WebAssembly.Module>;
