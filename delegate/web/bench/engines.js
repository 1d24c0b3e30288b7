// Each engine behind one interface: start(threads) fetches its code and compiles it, as far as it can without
// a model, and resolves to make(file, input), which resolves to a function that runs the model once and returns
// its output. Served beside their packages (run.mjs).
const script = (src) =>
  new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement('script'), { src, onload: resolve, onerror: reject }));
  });

const litert = (folder) => async (threads) => {
  const { loadLiteRt, loadAndCompile, Tensor } = await import('/node_modules/@litertjs/core/dist/index.js');
  await loadLiteRt(`/node_modules/@litertjs/core/wasm/${folder}`, threads > 1 ? { threads: true } : {});
  return async (file, input) => {
    const compiled = await loadAndCompile(file, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
    const tensor = new Tensor(input, [1, 224, 224, 3]);
    let last = [];
    return async () => {
      const outputs = await compiled.run(tensor);
      for (const old of last) old.delete();
      last = outputs;
      return await (outputs[0].data?.() ?? outputs[0].toTypedArray());
    };
  };
};

const sbnn = (module) => async (threads) => {
  const [{ load }, { moduleOf }] = await Promise.all([import('/sbnn-web/index.js'), import('/sbnn-web/module.js')]);
  await moduleOf(threads === 1 ? module : 'threads');
  return async (file, input) => {
    const loaded = await load(file, { threads, ...(threads === 1 ? { module } : {}) });
    return () => Object.values(loaded.runSync([input]))[0];
  };
};

const tensorflow = async (backend) => {
  await script('/node_modules/@tensorflow/tfjs-core/dist/tf-core.min.js');
  await script(`/node_modules/@tensorflow/tfjs-backend-${backend}/dist/tf-backend-${backend}.min.js`);
};

/** Runs what maps a tensor to a tensor. */
const predicting = (predict, input) => {
  const tensor = tf.tensor(input, [1, 224, 224, 3]);
  return () => {
    const output = tf.tidy(() => predict(tensor));
    const values = output.dataSync();
    output.dispose();
    return values;
  };
};

// (Its code comes with the first model.)
async function tfjsTflite(threads) {
  await tensorflow('cpu');
  await script('/node_modules/@tensorflow/tfjs-tflite/dist/tf-tflite.min.js');
  tflite.setWasmPath('/node_modules/@tensorflow/tfjs-tflite/wasm/');
  return async (file, input) => {
    const loaded = await tflite.loadTFLiteModel(file.buffer, { numThreads: threads });
    return predicting((tensor) => loaded.predict(tensor), input);
  };
}

async function tfjsWasm(threads) {
  await tensorflow('wasm');
  const { mobilenet } = await import('/tfjs_mobilenet.js');
  tf.wasm.setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/');
  tf.wasm.setThreadsCount(threads);
  if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
  return async (_, input) => predicting(mobilenet(tf), input);
}

// (Of a chain that was exported for it: images are NCHW there. Other numbers come out, the time is the same. Its code
// comes with the first model.)
async function onnxruntime(threads) {
  const ort = await import('/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs');
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  return async (file, input) => {
    const session = await ort.InferenceSession.create(file);
    const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, [1, 3, 224, 224]) };
    return async () => Object.values(await session.run(feeds))[0].data;
  };
}

export const engines = {
  'sbnn-web': sbnn('relaxed'),
  'sbnn-web, plain SIMD': sbnn('plain'),
  'LiteRT.js': litert(''),
  'LiteRT.js, plain SIMD': litert('litert_wasm_compat_internal.js'),
  'onnxruntime-web': onnxruntime,
  'tfjs-tflite': tfjsTflite,
  'tfjs-backend-wasm': tfjsWasm,
};

/**
 * Prepares window.time(count): times of so many runs, in ms. Returns what came of the first: `first` is all from a file in
 * memory to the first output.
 */
export async function prepare(name, url, threads) {
  const input = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i * 0.7));
  const file = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const make = await engines[name](threads);
  await new Promise((resolve) => setTimeout(resolve, 500)); // what a browser still does with the code
  const start = performance.now();
  const run = await make(file, input);
  const load = performance.now() - start;
  const output = await run();
  const first = performance.now() - start;
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
  return { load, first, largest, value: output[largest] };
}
