// Each engine behind one interface: make(url of the model, input, threads) resolves to a function
// that runs it once and returns its output. Served beside their packages (run.mjs).
const script = (src) =>
  new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
  });

async function litert(model, input, threads, folder = '/node_modules/@litertjs/core/wasm/') {
  const { loadLiteRt, loadAndCompile, Tensor } = await import('/node_modules/@litertjs/core/dist/index.js');
  await loadLiteRt(folder, threads > 1 ? { threads: true } : {});
  const compiled = await loadAndCompile(model, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
  const tensor = new Tensor(input, [1, 224, 224, 3]);
  let last = [];
  return async () => {
    const outputs = await compiled.run(tensor);
    for (const old of last) old.delete();
    last = outputs;
    return await (outputs[0].data?.() ?? outputs[0].toTypedArray());
  };
}

const sbnn = (module) => async (model, input, threads) => {
  const { load } = await import('/sbnn-web/index.js');
  const loaded = await load(model, { threads, ...(threads === 1 ? { module } : {}) });
  return () => Object.values(loaded.runSync([input]))[0];
};

async function tfjsTflite(model, input, threads) {
  await script('/node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js');
  await script('/node_modules/@tensorflow/tfjs-backend-cpu/dist/tf-backend-cpu.min.js');
  await script('/node_modules/@tensorflow/tfjs-tflite/dist/tf-tflite.min.js');
  tflite.setWasmPath('/node_modules/@tensorflow/tfjs-tflite/wasm/');
  const loaded = await tflite.loadTFLiteModel(model, { numThreads: threads });
  const tensor = tf.tensor(input, [1, 224, 224, 3]);
  return () => {
    const output = loaded.predict(tensor);
    const values = output.dataSync();
    output.dispose();
    return values;
  };
}

// (Of a chain that was exported for it: images are NCHW there. Other numbers come out, the time is the same.)
async function onnxruntime(model, input, threads) {
  const ort = await import('/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  const session = await ort.InferenceSession.create(model.replace('.tflite', '.onnx'));
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, [1, 3, 224, 224]) };
  return async () => Object.values(await session.run(feeds))[0].data;
}

export const engines = {
  'sbnn-web': sbnn('relaxed'),
  'sbnn-web, plain SIMD': sbnn('plain'),
  'LiteRT.js': litert,
  'LiteRT.js, plain SIMD': (model, input, threads) =>
    litert(model, input, threads, '/node_modules/@litertjs/core/wasm/litert_wasm_compat_internal.js'),
  'onnxruntime-web': onnxruntime,
  'tfjs-tflite': tfjsTflite,
};

/** Prepares window.time(count): times of so many runs, in ms. Returns what came of the first. */
export async function prepare(name, model, threads) {
  const input = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i * 0.7));
  const start = performance.now();
  const run = await engines[name](model, input, threads);
  const loaded = performance.now();
  const output = await run();
  const first = performance.now() - loaded;
  window.time = async (count) => {
    const times = [];
    for (let i = 0; i < count; ++i) {
      const begin = performance.now();
      await run();
      times.push(performance.now() - begin);
    }
    return times;
  };
  const largest = output.indexOf(Math.max(...output));
  return { load: loaded - start, first, largest, value: output[largest] };
}
