// MobileNet-v1 1.0/224 of TensorFlow.js' own operators, with random weights: its WebAssembly backend
// reads no .tflite file. The fused operators are those that its converter writes.
const strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1];
const channels = [64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024];

/** Returns a function from an image, 1 x 224 x 224 x 3, to 1000 probabilities. `tf`: TensorFlow.js. */
export function mobilenet(tf) {
  const random = (shape, products) => {
    const most = Math.sqrt(6 / products);
    return tf.randomUniform(shape, -most, most);
  };
  const layer = (operator, filter, products, strides, outputs) => {
    const fields = { filter: random(filter, products), bias: random([outputs], outputs), strides };
    return (x) => operator({ x, ...fields, pad: 'same', activation: 'relu6' });
  };
  const layers = [layer(tf.fused.conv2d, [3, 3, 3, 32], 27, 2, 32)];
  let inputs = 32;
  strides.forEach((stride, i) => {
    const outputs = channels[i];
    layers.push(layer(tf.fused.depthwiseConv2d, [3, 3, inputs, 1], 9, stride, inputs));
    layers.push(layer(tf.fused.conv2d, [1, 1, inputs, outputs], inputs, 1, outputs));
    inputs = outputs;
  });
  const last = { b: random([inputs, 1000], inputs), bias: random([1000], 1000) };
  return (image) => {
    const features = layers.reduce((x, layer) => layer(x), image);
    return tf.softmax(tf.fused.matMul({ a: tf.mean(features, [1, 2]), ...last }));
  };
}
