// Pillow's `Image.resize((width, height), BILINEAR, reducing_gap=2.0)` to the last bit, so that the network in the
// browser sees what it sees in Python. First whole factors by averaging boxes, then a triangle filter as wide as the
// scale, rows before columns, in fixed point of 22 bits.

const PRECISION = 22;
const REDUCING_GAP = 2;

/**
 * @param {Uint8ClampedArray} rgba pixels of the source, 4 bytes each; the fourth is ignored
 * @param {[number, number]} from height and width of the source
 * @param {[number, number]} to height and width wanted
 * @returns {Uint8Array} 3 bytes a pixel
 */
export function resize(rgba, [height, width], [newHeight, newWidth]) {
  const factorY = Math.trunc(height / newHeight / REDUCING_GAP) || 1;
  const factorX = Math.trunc(width / newWidth / REDUCING_GAP) || 1;
  const reduced = reduce(rgba, height, width, factorY, factorX);
  const columns = triangle(reduced.width, width / factorX, newWidth);
  const rows = triangle(reduced.height, height / factorY, newHeight);
  const narrow = filterRows(reduced.pixels, reduced.height, reduced.width, columns);
  return filterColumns(narrow, newWidth, rows);
}

/** Means of boxes of factorY x factorX pixels; what is left at the right and the bottom becomes smaller boxes. */
function reduce(rgba, height, width, factorY, factorX) {
  const newHeight = Math.ceil(height / factorY);
  const newWidth = Math.ceil(width / factorX);
  const pixels = new Uint8Array(newHeight * newWidth * 3);
  let target = 0;
  for (let y = 0; y < height; y += factorY) {
    const bottom = Math.min(y + factorY, height);
    for (let x = 0; x < width; x += factorX) {
      const right = Math.min(x + factorX, width);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let row = y; row < bottom; row += 1) {
        for (let i = (row * width + x) * 4, end = (row * width + right) * 4; i < end; i += 4) {
          red += rgba[i];
          green += rgba[i + 1];
          blue += rgba[i + 2];
        }
      }
      const count = (bottom - y) * (right - x);
      const half = count >> 1;
      const multiplier = Math.trunc(Math.fround(2 ** 32 / (256 * count)));
      pixels[target] = ((red + half) * multiplier) / 2 ** 24;
      pixels[target + 1] = ((green + half) * multiplier) / 2 ** 24;
      pixels[target + 2] = ((blue + half) * multiplier) / 2 ** 24;
      target += 3;
    }
  }
  return { pixels, height: newHeight, width: newWidth };
}

/**
 * The source pixels of each new pixel along one axis, and their weights.
 * @param {number} length of the source in pixels
 * @param {number} extent of the source that is shown; a little less than `length` where the last box was smaller
 * @param {number} newLength
 */
function triangle(length, extent, newLength) {
  const scale = Math.fround(extent) / newLength;
  const support = Math.max(scale, 1);
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(newLength);
  const counts = new Int32Array(newLength);
  const weights = new Int32Array(newLength * stride);
  const values = new Float64Array(stride);
  for (let i = 0; i < newLength; i += 1) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.min(Math.trunc(centre + support + 0.5), length) - start;
    let sum = 0;
    for (let k = 0; k < count; k += 1) {
      values[k] = Math.max(1 - Math.abs((k + start - centre + 0.5) * (1 / support)), 0);
      sum += values[k];
    }
    for (let k = 0; k < count; k += 1) weights[i * stride + k] = Math.trunc(0.5 + (values[k] / sum) * 2 ** PRECISION);
    starts[i] = start;
    counts[i] = count;
  }
  return { length: newLength, stride, starts, counts, weights };
}

const HALF = 1 << (PRECISION - 1);

function filterRows(pixels, height, width, { length, stride, starts, counts, weights }) {
  const filtered = new Uint8Array(height * length * 3);
  for (let y = 0, target = 0; y < height; y += 1) {
    for (let x = 0; x < length; x += 1, target += 3) {
      let source = (y * width + starts[x]) * 3;
      let [red, green, blue] = [HALF, HALF, HALF];
      for (let k = x * stride, end = k + counts[x]; k < end; k += 1, source += 3) {
        red += Math.imul(pixels[source], weights[k]);
        green += Math.imul(pixels[source + 1], weights[k]);
        blue += Math.imul(pixels[source + 2], weights[k]);
      }
      // Weights may add up to a little more than one.
      filtered[target] = Math.min(red >> PRECISION, 255);
      filtered[target + 1] = Math.min(green >> PRECISION, 255);
      filtered[target + 2] = Math.min(blue >> PRECISION, 255);
    }
  }
  return filtered;
}

function filterColumns(pixels, width, { length, stride, starts, counts, weights }) {
  const line = width * 3;
  const filtered = new Uint8Array(length * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < length; y += 1) {
    sums.fill(HALF);
    for (let k = 0; k < counts[y]; k += 1) {
      const weight = weights[y * stride + k];
      const source = (starts[y] + k) * line;
      for (let i = 0; i < line; i += 1) sums[i] += Math.imul(pixels[source + i], weight);
    }
    for (let i = 0, target = y * line; i < line; i += 1) filtered[target + i] = Math.min(sums[i] >> PRECISION, 255);
  }
  return filtered;
}
