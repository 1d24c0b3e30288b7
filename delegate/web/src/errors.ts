/** What went wrong: with the file of the model, an operator of it, what was given, memory, the network, or the caller's order of calls. */
export type ErrorCode = 'model' | 'unsupported' | 'argument' | 'memory' | 'network' | 'disposed' | 'internal';

/** Every error of this package; its message says what was expected and what was found. */
export class SbnnError extends Error {
  override readonly name = 'SbnnError';
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** Errors lose their class on the way between threads. */
export type PlainError = { code?: ErrorCode; name: string; message: string };

export function toPlain(error: unknown): PlainError {
  if (error instanceof SbnnError) return { code: error.code, name: error.name, message: error.message };
  if (error instanceof Error) return { name: error.name, message: error.message };
  return { name: 'Error', message: String(error) };
}

export function fromPlain(plain: PlainError): Error {
  if (plain.code !== undefined) return new SbnnError(plain.code, plain.message);
  return Object.assign(new Error(plain.message), { name: plain.name });
}
