/** A model on this thread, and on those of its pool. */
import { arrayOf, checkInputs, checkShapes, elementCount } from './check.js';
import { SbnnError } from './errors.js';
import { importsFor, readText, type Exports, type ThreadStart } from './exports.js';
import { choose, moduleOf, type Choice } from './module.js';
import { nodeWorker, overWebWorker, type Helper, type Listeners } from './platform.js';
import type { Inputs, LoadOptions, Model, Outputs, Profile, Report, Shape, Shapes, TensorInfo, Values } from './types.js';

const pageBytes = 65536;
const threadStackBytes = 256 << 10;

type Record_ = { record: string } & { [member: string]: any };

/** An exception has left the module: it can't be used any more. */
class Failure extends SbnnError {}

function fail(what: string): never {
  if (what === 'memory') throw new Failure('memory', 'expected memory for the model, found none left');
  throw new Failure('internal', `the module failed: ${what}`);
}

export class LocalModel implements Model {
  inputs: readonly TensorInfo[] = [];
  outputs: readonly TensorInfo[] = [];
  private state: 'ready' | 'disposed' | 'broken' = 'ready';
  private readonly records: Record_[] = [];
  private readonly helpers: Helper[] = [];

  private constructor(
    private exports: Exports,
    private memory: WebAssembly.Memory,
    private readonly choice: Choice,
    private readonly profiles: boolean,
  ) {}

  static async load(bytes: Uint8Array, options: LoadOptions): Promise<LocalModel> {
    const choice = choose(options.threads ?? 1, options.module);
    let module = await moduleOf(choice.kind);
    let memory: WebAssembly.Memory | undefined;
    if (choice.kind === 'threads') {
      const limit = options.memoryLimit ?? (128 << 20) + 4 * bytes.length;
      const least = 64 * pageBytes;
      if (!(limit >= least)) {
        throw new SbnnError('argument', `memoryLimit: expected at least ${least}, found ${limit}`);
      }
      try {
        const maximum = Math.min(32768, Math.ceil(limit / pageBytes));
        memory = new WebAssembly.Memory({ initial: 64, maximum, shared: true });
      } catch (error) {
        choice.remarks.push(`1 thread in place of ${choice.threads}: ${(error as Error).message}`);
        Object.assign(choice, choose(1, undefined), { remarks: choice.remarks });
        module = await moduleOf(choice.kind);
      }
    }
    const of: { memory?: WebAssembly.Memory } = {};
    const imports = importsFor(() => of.memory!, fail);
    if (memory !== undefined) imports['env'] = { memory };
    const instance = await WebAssembly.instantiate(module, imports);
    const exports = instance.exports as unknown as Exports;
    of.memory = memory ?? exports.memory;
    const model = new LocalModel(exports, of.memory, choice, options.profile === true);
    try {
      exports._initialize();
      await model.startThreads(module);
      options.signal?.throwIfAborted();
      model.read(bytes, options);
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  private async startThreads(module: WebAssembly.Module): Promise<void> {
    if (this.choice.threads === 1) return;
    const starts: Promise<void>[] = [];
    for (let i = 1; i < this.choice.threads; ++i) {
      starts.push(
        new Promise((resolve, reject) => {
          const listeners: Listeners = { message: () => resolve(), error: reject };
          const helper =
            nodeWorker('./thread.js', listeners) ??
            overWebWorker(new Worker(new URL('./thread.js', import.meta.url), { type: 'module' }), listeners);
          this.helpers.push(helper);
          const stack = this.allocate(threadStackBytes);
          const start: ThreadStart = {
            module,
            memory: this.memory,
            stackTop: (stack + threadStackBytes) & ~15,
            tls: this.allocate(Math.max(16, this.exports.__tls_size.value)),
          };
          helper.keepAlive(true);
          helper.post(start);
        }),
      );
    }
    try {
      await Promise.all(starts);
      while (this.exports.sbnn_workers() < this.choice.threads) await new Promise((resolve) => setTimeout(resolve, 1));
    } catch (error) {
      // A package from another origin (a CDN), or a policy that forbids workers.
      for (const helper of this.helpers.splice(0)) helper.terminate();
      this.choice.remarks.push(
        `1 thread in place of ${this.choice.threads}: workers can't be started from here (${(error as Error).message})`,
      );
      this.choice.threads = 1;
    }
    for (const helper of this.helpers) helper.keepAlive(false);
  }

  private read(bytes: Uint8Array, options: LoadOptions): void {
    const { exports } = this;
    const signature = this.put(new TextEncoder().encode(`${options.signature ?? ''}\0`));
    const file = this.put(bytes);
    const loaded = exports.sbnn_load(file, bytes.length, signature, this.choice.threads, this.profiles ? 1 : 0);
    exports.sbnn_free(signature);
    if (loaded === 0) {
      const message = this.text();
      throw new SbnnError(message.startsWith("the engine can't run") ? 'unsupported' : 'model', message);
    }
    this.describe();
    this.plan(options.shapes === undefined ? undefined : checkShapes(options.shapes, this.inputs));
  }

  private allocate(bytes: number): number {
    const address = this.exports.sbnn_allocate(bytes);
    return address !== 0 ? address >>> 0 : fail('memory');
  }

  private put(bytes: Uint8Array): number {
    const address = this.allocate(bytes.length);
    new Uint8Array(this.memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  private text(): string {
    return readText(this.memory, this.exports.sbnn_text() >>> 0);
  }

  private lines(): any[] {
    const text = this.text();
    return text === '' ? [] : text.trimEnd().split('\n').map((line) => JSON.parse(line));
  }

  private view(info: TensorInfo, address: number): Values {
    return new arrayOf[info.type](this.memory.buffer, address >>> 0, elementCount(info.shape));
  }

  private describe(): void {
    this.exports.sbnn_describe();
    const infos = (kind: string, lines: any[]): TensorInfo[] =>
      lines.filter((l) => l.kind === kind).map(({ name, shape, type }) => ({ name, shape, type }));
    const lines = this.lines();
    this.inputs = infos('input', lines);
    this.outputs = infos('output', lines);
  }

  private plan(shapes: readonly Shape[] | undefined): void {
    const dims = shapes?.flatMap((shape) => [shape.length, ...shape]);
    const address = dims === undefined ? 0 : this.put(new Uint8Array(new Int32Array(dims).buffer));
    const planned = this.exports.sbnn_resize(address);
    if (address !== 0) this.exports.sbnn_free(address);
    if (planned === 0) {
      const message = this.text();
      throw new SbnnError(message.startsWith('no memory') ? 'memory' : 'argument', message);
    }
    this.describe();
  }

  private check(): void {
    if (this.state === 'disposed') throw new SbnnError('disposed', 'expected a model, found one that was disposed of');
    if (this.state === 'broken') throw new SbnnError('disposed', 'expected a model, found one that has failed before');
  }

  private guarded<T>(body: () => T): T {
    this.check();
    try {
      return body();
    } catch (error) {
      if (error instanceof Failure || !(error instanceof SbnnError)) this.close('broken');
      throw error;
    }
  }

  runSync(inputs: Inputs): Outputs {
    return this.guarded(() => {
      checkInputs(inputs, this.inputs).forEach((values, i) => {
        this.view(this.inputs[i]!, this.exports.sbnn_input(i)).set(values);
      });
      if (this.exports.sbnn_run() === 0) throw new SbnnError('internal', this.text());
      return Object.fromEntries(
        this.outputs.map((output, i) => {
          const view = this.view(output, this.exports.sbnn_output(i));
          // (A slice of shared memory would be shared too.)
          const values = new arrayOf[output.type](view.length);
          values.set(view);
          return [output.name, values];
        }),
      );
    });
  }

  async run(inputs: Inputs): Promise<Outputs> {
    return this.runSync(inputs);
  }

  async resize(shapes: Shapes): Promise<void> {
    this.guarded(() => {
      const old = this.inputs.map((input) => input.shape);
      const wanted = checkShapes(shapes, this.inputs);
      try {
        this.plan(wanted);
      } catch (error) {
        if (!(error instanceof Failure)) this.plan(old);
        throw error;
      }
    });
  }

  /** What is new; of a profile nothing is kept, since each is of all runs. */
  private take(profile: boolean): Record_[] {
    this.exports.sbnn_records(profile ? 1 : 0);
    const lines: Record_[] = this.lines();
    this.records.push(...lines.filter((record) => !record.record.endsWith('_profile')));
    return lines;
  }

  /** The last plan's records of this kind. */
  private latest(kind: string): Record_[] {
    const of = this.records.filter((record) => record.record === kind);
    return of.filter((record) => record['plan'] === of.at(-1)!['plan']);
  }

  async report(): Promise<Report> {
    return this.guarded(() => {
      this.take(false);
      const engine = this.records.find((record) => record.record === 'engine')!;
      return {
        version: engine['version'],
        module: this.choice.kind,
        isa: engine['isa'],
        threads: this.choice.threads,
        worker: false,
        remarks: [...this.choice.remarks],
        nodes: this.records.filter((r) => r.record === 'node').map((r) => ({ node: r['node'], op: r['op'] })),
        steps: this.latest('step').map((r) => ({ label: r['label'], nodes: r['nodes'] })),
        packedBytes: this.records.find((r) => r.record === 'subgraph')!['packed_bytes'],
        activationBytes: this.latest('part')[0]!['activation_bytes'],
        memoryBytes: this.memory.buffer.byteLength,
      };
    });
  }

  async profile(): Promise<Profile> {
    return this.guarded(() => {
      if (!this.profiles) throw new SbnnError('argument', 'profile: expected load(..., { profile: true }), found none');
      const now = this.take(true);
      const whole = now.filter((r) => r.record === 'part_profile').at(-1);
      const steps = now.filter((r) => r.record === 'step_profile' && r['plan'] === whole?.['plan']);
      const times = (r: Record_) => ({ least: r['least_seconds'] * 1e3, median: r['median_seconds'] * 1e3 });
      return {
        runs: whole?.['runs'] ?? 0,
        ...(whole === undefined ? { least: NaN, median: NaN } : times(whole)),
        steps: steps.map((r) => ({ label: r['label'], ...times(r) })),
      };
    });
  }

  private close(state: 'disposed' | 'broken'): void {
    this.state = state;
    for (const helper of this.helpers.splice(0)) helper.terminate();
    // The memory goes with the last reference to it.
    this.exports = undefined as unknown as Exports;
    this.memory = undefined as unknown as WebAssembly.Memory;
  }

  dispose(): void {
    this.close('disposed');
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
