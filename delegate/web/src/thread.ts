/** A thread of the module's pool: a worker that enters the module and stays there. */
import { importsFor, type Exports, type ThreadStart } from './exports.js';
import { inWorker } from './platform.js';

const post = inWorker(async (start: ThreadStart) => {
  const fail = (what: string): never => {
    throw new Error(what);
  };
  const imports = { ...importsFor(() => start.memory, fail), env: { memory: start.memory } };
  const instance = await WebAssembly.instantiate(start.module, imports);
  const exports = instance.exports as unknown as Exports;
  exports.__stack_pointer.value = start.stackTop;
  exports.__wasm_init_tls(start.tls);
  post('ready');
  exports.sbnn_worker();
});
