// From a photo to the canvas that the network reads, and from the canvas back; as `mrcnn/letterbox.py`.

import { resize } from "./resize.js";

/** Python's round: a half goes to the even neighbour. */
function round(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/**
 * Scale a photo and fill it up with grey, at the bottom and the right, to multiples of the stride.
 * @param {ImageData} image
 * @param {{size: number, stride: number, grey: number}} input the model's, from site.json
 * @returns {{pixels: Uint8Array, shape: [number, number], inner: [number, number]}} RGB, height and width of the
 *     canvas, and of the photo in its top left corner
 */
export function letterbox(image, { size, stride, grey }) {
  const scale = size / Math.max(image.height, image.width);
  const inner = [image.height, image.width].map((length) => Math.max(1, round(length * scale)));
  const shape = inner.map((length) => Math.ceil(length / stride) * stride);
  const scaled = resize(image.data, [image.height, image.width], inner);
  const pixels = new Uint8Array(shape[0] * shape[1] * 3).fill(grey);
  for (let y = 0; y < inner[0]; y += 1) {
    pixels.set(scaled.subarray(y * inner[1] * 3, (y + 1) * inner[1] * 3), y * shape[1] * 3);
  }
  return { pixels, shape, inner };
}

/**
 * Boxes from the canvas back to pixels of the photo; one that reaches into the filling reaches out of the photo.
 * @param {Float32Array} boxes y1, x1, y2, x2 one after the other
 * @param {[number, number]} inner height and width of the photo in the canvas
 * @param {[number, number]} imageSize height and width of the photo
 */
export function toImage(boxes, inner, imageSize) {
  return boxes.map((value, i) => value * Math.fround(imageSize[i % 2] / inner[i % 2]));
}
