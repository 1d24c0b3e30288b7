/** What went wrong: with the file of the model, an operator of it, what was given, memory, the network, or the caller's order of calls. */
export type ErrorCode = 'model' | 'unsupported' | 'argument' | 'memory' | 'network' | 'disposed' | 'internal';
/** Every error of this package; its message says what was expected and what was found. */
export declare class SbnnError extends Error {
    readonly code: ErrorCode;
    readonly name = "SbnnError";
    constructor(code: ErrorCode, message: string);
}
/** Errors lose their class on the way between threads. */
export type PlainError = {
    code?: ErrorCode;
    name: string;
    message: string;
};
export declare function toPlain(error: unknown): PlainError;
export declare function fromPlain(plain: PlainError): Error;
