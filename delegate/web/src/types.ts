/** Dimensions, outermost first: an image is [1, height, width, channels]. */
export type Shape = readonly number[];

/** float32, or numbers of 8 bits as the model has them. */
export type Values = Float32Array | Int8Array | Uint8Array;

/** An input or an output of a model. */
export interface TensorInfo {
  readonly name: string;
  readonly shape: Shape;
  readonly type: 'float32' | 'int8' | 'uint8';
}

/** By name, or in the order of `model.inputs`. */
export type Inputs = Readonly<Record<string, Values>> | readonly Values[];
export type Outputs = Record<string, Values>;
export type Shapes = Readonly<Record<string, Shape>>;

/** Of WebAssembly's features: SIMD of 128 bits; relaxed SIMD; and memory that threads share. */
export type ModuleKind = 'plain' | 'relaxed' | 'threads';

export interface Progress {
  /** Bytes of the model that are here, and of how many; undefined where the server does not say. */
  loaded: number;
  total: number | undefined;
}

export interface LoadOptions {
  /** Threads to run on, 1 to 16; default 1. More than one need a page that is cross-origin isolated: without it one is used, and `report()` says so. */
  threads?: number;
  /** Runs the model in a worker, so that the page stays responsive; default false. */
  worker?: boolean;
  /** Which of the file's signatures; default: the first. */
  signature?: string;
  /** Sizes for inputs, by name, where the file leaves them open or others are wanted. */
  shapes?: Shapes;
  /** Whether `profile()` shall have something to tell; default false. */
  profile?: boolean;
  /** Bytes that a model on several threads may use: memory that is shared must be reserved; default 128 MiB and four times the file. */
  memoryLimit?: number;
  /** Which kind of module, in place of the best that this engine takes. */
  module?: ModuleKind;
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
}

/** An operator of the file. */
export interface NodeReport {
  node: number;
  op: string;
}

/** What is computed at one go: one or several operators. */
export interface StepReport {
  label: string;
  nodes: number[];
}

export interface Report {
  version: string;
  module: ModuleKind;
  /** Which of the module's kernels: wasm_x64 or wasm_arm64. */
  isa: string;
  threads: number;
  worker: boolean;
  /** Why something is not as it was asked for; mostly empty. */
  remarks: string[];
  nodes: NodeReport[];
  steps: StepReport[];
  /** Bytes: of packed weights, of activations, and of all of the module's memory. */
  packedBytes: number;
  activationBytes: number;
  memoryBytes: number;
}

/** Times of all runs so far, in milliseconds. */
export interface Profile {
  runs: number;
  least: number;
  median: number;
  steps: { label: string; least: number; median: number }[];
}

export interface Model {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Computes the outputs, arrays that are the caller's to keep.
   * @throws SbnnError where an input is missing, unknown, or of another type or size.
   */
  run(inputs: Inputs): Promise<Outputs>;
  /** The same at once; not with the option `worker`. Blocks the thread that calls. */
  runSync(inputs: Inputs): Outputs;
  /**
   * Plans for other sizes; those of inputs that are not named stay.
   * @throws SbnnError where the operators do not fit them: the model then keeps its old sizes.
   */
  resize(shapes: Shapes): Promise<void>;
  report(): Promise<Report>;
  /** @throws SbnnError without the option `profile`. */
  profile(): Promise<Profile>;
  /** Gives memory and threads back. The model can't be used any more. */
  dispose(): void;
  [Symbol.dispose](): void;
}
