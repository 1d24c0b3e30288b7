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
/** The bytes of a file of this package, or of a path in Node; undefined: fetch it. */
export declare function readLocally(url: URL | string): Promise<Uint8Array | undefined>;
/** Whether memory can be shared with other threads; if not, why. */
export declare function whyNoSharedMemory(): string | undefined;
/** Listens to a worker of the web's. */
export declare function overWebWorker(worker: Worker, listeners: Listeners): Helper;
/** A worker of Node's on a file beside this one; undefined: this is not Node. */
export declare function nodeWorker(file: string, listeners: Listeners): Helper | undefined;
/** Inside of a worker: how to hear and to answer. */
export declare function inWorker(receive: (message: any) => void): (message: unknown, transfer?: ArrayBuffer[]) => void;
