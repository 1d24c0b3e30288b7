import type { Inputs, LoadOptions, Model, Outputs, Profile, Report, Shapes, TensorInfo } from './types.js';
export declare class LocalModel implements Model {
    private exports;
    private memory;
    private readonly choice;
    private readonly profiles;
    inputs: readonly TensorInfo[];
    outputs: readonly TensorInfo[];
    private state;
    private readonly records;
    private readonly helpers;
    private constructor();
    static load(bytes: Uint8Array, options: LoadOptions): Promise<LocalModel>;
    private startThreads;
    private read;
    private allocate;
    private put;
    private text;
    private lines;
    private view;
    private describe;
    private plan;
    private check;
    private guarded;
    runSync(inputs: Inputs): Outputs;
    run(inputs: Inputs): Promise<Outputs>;
    resize(shapes: Shapes): Promise<void>;
    /** What is new; of a profile nothing is kept, since each is of all runs. */
    private take;
    /** The last plan's records of this kind. */
    private latest;
    report(): Promise<Report>;
    profile(): Promise<Profile>;
    private close;
    dispose(): void;
    [Symbol.dispose](): void;
}
