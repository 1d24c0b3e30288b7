import type { Inputs, Shape, Shapes, TensorInfo, Values } from './types.js';
export declare const arrayOf: {
    float32: Float32ArrayConstructor;
    int8: Int8ArrayConstructor;
    uint8: Uint8ArrayConstructor;
};
export declare const elementCount: (shape: Shape) => number;
/** In the order of `infos`. */
export declare function checkInputs(given: Inputs, infos: readonly TensorInfo[]): Values[];
/** All inputs' shapes, with those that are given in place of what they were. */
export declare function checkShapes(given: Shapes, infos: readonly TensorInfo[]): Shape[];
