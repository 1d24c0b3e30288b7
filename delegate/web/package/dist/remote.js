/** A model in a worker of its own, behind the same interface. */
import { checkInputs, checkShapes } from './check.js';
import { SbnnError, fromPlain } from './errors.js';
import { nodeWorker, overWebWorker } from './platform.js';
export class RemoteModel {
    inputs = [];
    outputs = [];
    waiting = new Map();
    helper;
    last = 0;
    closed;
    constructor() {
        let heard = false;
        const notStarted = (error) => new SbnnError('argument', `worker: expected the package on the page's own origin, found ${import.meta.url} (${error.message})`);
        const listeners = {
            message: (answer) => {
                heard = true;
                const call = this.waiting.get(answer.id);
                this.waiting.delete(answer.id);
                if (this.waiting.size === 0)
                    this.helper.keepAlive(false);
                if (answer.error !== undefined)
                    call?.reject(fromPlain(answer.error));
                else
                    call?.resolve(answer.value);
            },
            // (Chromium refuses to make the worker, Firefox tells later.)
            error: (error) => this.close(heard ? new SbnnError('internal', `the worker failed: ${error.message}`) : notStarted(error)),
        };
        try {
            this.helper =
                nodeWorker('./worker.js', listeners) ??
                    overWebWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), listeners);
        }
        catch (error) {
            throw notStarted(error);
        }
    }
    static async load(bytes, options) {
        const { onProgress: _, signal, worker: __, ...sent } = options;
        const model = new RemoteModel();
        const abort = () => model.dispose();
        signal?.addEventListener('abort', abort);
        try {
            await model.call({ call: 'load', bytes, options: sent }).then((infos) => Object.assign(model, infos));
            return model;
        }
        catch (error) {
            model.dispose();
            signal?.throwIfAborted();
            throw error;
        }
        finally {
            signal?.removeEventListener('abort', abort);
        }
    }
    call(call) {
        if (this.closed !== undefined)
            return Promise.reject(this.closed);
        const id = ++this.last;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.helper.keepAlive(true);
            this.helper.post({ ...call, id });
        });
    }
    async run(inputs) {
        return this.call({ call: 'run', inputs: checkInputs(inputs, this.inputs) });
    }
    runSync() {
        throw new SbnnError('argument', 'runSync: expected a model of this thread, found one in a worker; use run');
    }
    async resize(shapes) {
        checkShapes(shapes, this.inputs);
        Object.assign(this, await this.call({ call: 'resize', shapes }));
    }
    async report() {
        return { ...(await this.call({ call: 'report' })), worker: true };
    }
    profile() {
        return this.call({ call: 'profile' });
    }
    close(why) {
        this.closed ??= why;
        this.helper.terminate();
        for (const { reject } of this.waiting.values())
            reject(this.closed);
        this.waiting.clear();
    }
    dispose() {
        this.close(new SbnnError('disposed', 'expected a model, found one that was disposed of'));
    }
    [Symbol.dispose]() {
        this.dispose();
    }
}
