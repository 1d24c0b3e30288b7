import type { Inputs, LoadOptions, Model, Outputs, Profile, Report, Shapes, TensorInfo, Values } from './types.js';
/** What can be sent: no functions. */
type SentOptions = Omit<LoadOptions, 'onProgress' | 'signal' | 'worker'>;
type Call = {
    call: 'load';
    bytes: Uint8Array;
    options: SentOptions;
} | {
    call: 'run';
    inputs: Values[];
} | {
    call: 'resize';
    shapes: Shapes;
} | {
    call: 'report';
} | {
    call: 'profile';
};
export type Request = Call & {
    id: number;
};
export declare class RemoteModel implements Model {
    inputs: readonly TensorInfo[];
    outputs: readonly TensorInfo[];
    private readonly waiting;
    private readonly helper;
    private last;
    private closed;
    private constructor();
    static load(bytes: Uint8Array, options: LoadOptions): Promise<RemoteModel>;
    private call;
    run(inputs: Inputs): Promise<Outputs>;
    runSync(): Outputs;
    resize(shapes: Shapes): Promise<void>;
    report(): Promise<Report>;
    profile(): Promise<Profile>;
    private close;
    dispose(): void;
    [Symbol.dispose](): void;
}
export {};
