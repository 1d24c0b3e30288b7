/** The other end of remote.ts: a model in a worker. */
import { toPlain } from './errors.js';
import { LocalModel } from './local.js';
import { inWorker } from './platform.js';
import type { Request } from './remote.js';
import type { Outputs } from './types.js';

let model: LocalModel | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.call === 'load') {
    model = await LocalModel.load(request.bytes, request.options);
  } else if (request.call === 'run') {
    return model!.run(request.inputs);
  } else if (request.call === 'resize') {
    await model!.resize(request.shapes);
  } else if (request.call === 'report') {
    return model!.report();
  } else {
    return model!.profile();
  }
  return { inputs: model!.inputs, outputs: model!.outputs };
}

const post = inWorker(async (request: Request) => {
  try {
    const value = await answer(request);
    const buffers = request.call === 'run' ? Object.values(value as Outputs).map((o) => o.buffer as ArrayBuffer) : [];
    post({ id: request.id, value }, buffers);
  } catch (error) {
    post({ id: request.id, error: toPlain(error) });
  }
});
