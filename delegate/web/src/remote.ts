/** A model in a worker of its own, behind the same interface. */
import { checkInputs, checkShapes } from './check.js';
import { SbnnError, fromPlain, type PlainError } from './errors.js';
import { nodeWorker, overWebWorker, type Helper, type Listeners } from './platform.js';
import type { Inputs, LoadOptions, Model, Outputs, Profile, Report, Shapes, TensorInfo, Values } from './types.js';

/** What can be sent: no functions. */
type SentOptions = Omit<LoadOptions, 'onProgress' | 'signal' | 'worker'>;
type Call =
  | { call: 'load'; bytes: Uint8Array; options: SentOptions }
  | { call: 'run'; inputs: Values[] }
  | { call: 'resize'; shapes: Shapes }
  | { call: 'report' }
  | { call: 'profile' };
export type Request = Call & { id: number };
type Answer = { id: number; value?: any; error?: PlainError };

export class RemoteModel implements Model {
  inputs: readonly TensorInfo[] = [];
  outputs: readonly TensorInfo[] = [];
  private readonly waiting = new Map<number, { resolve(value: any): void; reject(error: Error): void }>();
  private readonly helper: Helper;
  private last = 0;
  private closed: SbnnError | undefined;

  private constructor() {
    let heard = false;
    const notStarted = (error: Error) =>
      new SbnnError(
        'argument',
        `worker: expected the package on the page's own origin, found ${import.meta.url} (${error.message})`,
      );
    const listeners: Listeners = {
      message: (answer: Answer) => {
        heard = true;
        const call = this.waiting.get(answer.id);
        this.waiting.delete(answer.id);
        if (this.waiting.size === 0) this.helper.keepAlive(false);
        if (answer.error !== undefined) call?.reject(fromPlain(answer.error));
        else call?.resolve(answer.value);
      },
      // (Chromium refuses to make the worker, Firefox tells later.)
      error: (error) =>
        this.close(heard ? new SbnnError('internal', `the worker failed: ${error.message}`) : notStarted(error)),
    };
    try {
      this.helper =
        nodeWorker('./worker.js', listeners) ??
        overWebWorker(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }), listeners);
    } catch (error) {
      throw notStarted(error as Error);
    }
  }

  static async load(bytes: Uint8Array, options: LoadOptions): Promise<RemoteModel> {
    const { onProgress: _, signal, worker: __, ...sent } = options;
    const model = new RemoteModel();
    const abort = () => model.dispose();
    signal?.addEventListener('abort', abort);
    try {
      await model.call({ call: 'load', bytes, options: sent }).then((infos) => Object.assign(model, infos));
      return model;
    } catch (error) {
      model.dispose();
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  private call(call: Call): Promise<any> {
    if (this.closed !== undefined) return Promise.reject(this.closed);
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.helper.keepAlive(true);
      this.helper.post({ ...call, id });
    });
  }

  async run(inputs: Inputs): Promise<Outputs> {
    return this.call({ call: 'run', inputs: checkInputs(inputs, this.inputs) });
  }

  runSync(): Outputs {
    throw new SbnnError('argument', 'runSync: expected a model of this thread, found one in a worker; use run');
  }

  async resize(shapes: Shapes): Promise<void> {
    checkShapes(shapes, this.inputs);
    Object.assign(this, await this.call({ call: 'resize', shapes }));
  }

  async report(): Promise<Report> {
    return { ...(await this.call({ call: 'report' })), worker: true };
  }

  profile(): Promise<Profile> {
    return this.call({ call: 'profile' });
  }

  private close(why: SbnnError): void {
    this.closed ??= why;
    this.helper.terminate();
    for (const { reject } of this.waiting.values()) reject(this.closed);
    this.waiting.clear();
  }

  dispose(): void {
    this.close(new SbnnError('disposed', 'expected a model, found one that was disposed of'));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
