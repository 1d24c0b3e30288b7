export interface PixelOptions {
    /** Of the result; default: the picture's own. It is scaled to fit, not cropped. */
    width?: number;
    height?: number;
    /** 3: red, green, blue. 1: grey, by the weights of ITU-R BT.601. Default 3. */
    channels?: 1 | 3;
    /** Each channel becomes (value - mean) * scale, of values from 0 to 255; default 127.5 and 1 / 127.5: -1 to 1. A number, or one a channel. */
    mean?: number | readonly number[];
    scale?: number | readonly number[];
}
export type Picture = ImageData | HTMLCanvasElement | OffscreenCanvas | HTMLImageElement | HTMLVideoElement | ImageBitmap | VideoFrame;
/**
 * A picture as floats, [height, width, channels]: what a model of images reads.
 * @throws SbnnError where means or scales are not one a channel.
 */
export declare function pixels(picture: Picture, options?: PixelOptions): Float32Array;
/** The k largest values and where they stand, largest first; equal ones in their order. */
export declare function topK(values: ArrayLike<number>, k: number): {
    index: number;
    value: number;
}[];
