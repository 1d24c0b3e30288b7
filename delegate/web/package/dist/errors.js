/** Every error of this package; its message says what was expected and what was found. */
export class SbnnError extends Error {
    code;
    name = 'SbnnError';
    constructor(code, message) {
        super(message);
        this.code = code;
    }
}
export function toPlain(error) {
    if (error instanceof SbnnError)
        return { code: error.code, name: error.name, message: error.message };
    if (error instanceof Error)
        return { name: error.name, message: error.message };
    return { name: 'Error', message: String(error) };
}
export function fromPlain(plain) {
    if (plain.code !== undefined)
        return new SbnnError(plain.code, plain.message);
    return Object.assign(new Error(plain.message), { name: plain.name });
}
