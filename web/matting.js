// Soft edges for cut-outs, as `mrcnn/results/matting.py`: how much of each pixel is the object, and what colour that part
// of it has. A guided filter (He et al., 2010) lets the mask's edge follow the photo's; where a pixel belongs to object
// and ground, its colour is split (Forte, 2021), or the old ground would shine through as a halo on a new one.

const RADIUS = 0.025; // of the mask's longer side: outlines are right to within a cell or two of the network's
const LEAST_VARIANCE = 1e-4; // of colours from 0 to 1: below this there is no edge in the photo to follow
const CERTAIN = 0.2; // alpha up to here is 0, and from one minus this on 1: the filter leaves a haze on both sides
const WORKING_SIDE = 320; // pixels of the longer side; above this the filters work on a reduced copy

/**
 * @param {ImageData} photo
 * @param {import("./paste.js").MaskWindow} window in it, with at least one pixel
 * @returns {{image: ImageData, top: number, left: number}} colours and alpha of a part of the photo somewhat larger than
 *     the window, all 0 where nothing of the object is
 */
export function softEdges(photo, window) {
  const longer = Math.max(window.height, window.width);
  const radius = Math.max(1, Math.round(RADIUS * longer));
  const top = Math.max(0, window.top - 2 * radius);
  const left = Math.max(0, window.left - 2 * radius);
  const height = Math.min(photo.height, window.top + window.height + 2 * radius) - top;
  const width = Math.min(photo.width, window.left + window.width + 2 * radius) - left;
  const mask = new Float32Array(height * width);
  for (let y = 0; y < window.height; y += 1) {
    const line = window.mask.subarray(y * window.width, (y + 1) * window.width);
    mask.set(line, (y + window.top - top) * width + window.left - left);
  }
  const colours = [0, 1, 2].map((channel) => {
    const values = new Float32Array(height * width);
    for (let y = 0, i = 0; y < height; y += 1) {
      for (let x = 0, j = ((y + top) * photo.width + left) * 4 + channel; x < width; x += 1, i += 1, j += 4) {
        values[i] = photo.data[j] / 255;
      }
    }
    return values;
  });
  const step = Math.ceil(longer / WORKING_SIDE);
  const shape = [Math.ceil(height / step), Math.ceil(width / step)];
  const small = colours.map((values) => reduce(values, height, width, step));
  const smallRadius = Math.max(1, Math.round(radius / step));

  const { slope, offset } = guidedFilter(small, reduce(mask, height, width, step), shape, smallRadius);
  const size = [height, width];
  const alpha = enlarge(offset, shape, size);
  slope.forEach((values, channel) => {
    const large = enlarge(values, shape, size);
    for (let i = 0; i < alpha.length; i += 1) alpha[i] += large[i] * colours[channel][i];
  });
  for (let i = 0; i < alpha.length; i += 1) {
    alpha[i] = Math.min(Math.max((alpha[i] - CERTAIN) / (1 - 2 * CERTAIN), 0), 1);
  }

  const share = reduce(alpha, height, width, step);
  const rest = share.map((value) => 1 - value);
  const image = new ImageData(width, height);
  colours.forEach((values, channel) => {
    const [own, other] = [share, rest].map((weight) => {
      return enlarge(weightedMean(small[channel], weight, shape, 2 * smallRadius), shape, size);
    });
    for (let i = 0; i < alpha.length; i += 1) {
      if (!alpha[i]) continue;
      let value = values[i];
      if (alpha[i] < 1) value = own[i] + alpha[i] * (value - alpha[i] * own[i] - (1 - alpha[i]) * other[i]);
      image.data[4 * i + channel] = 255 * value; // rounded and cut to 0 to 255 by the array
    }
  });
  for (let i = 0; i < alpha.length; i += 1) image.data[4 * i + 3] = 255 * alpha[i];
  for (let i = 0; i < alpha.length; i += 1) if (!image.data[4 * i + 3]) image.data.fill(0, 4 * i, 4 * i + 3);
  return { image, top, left };
}

/** The mask as a linear function of the colours around each pixel: slopes of the three channels, and offsets. */
function guidedFilter(colours, mask, shape, radius) {
  const mean = (values) => box(values, shape, radius);
  const product = (a, b) => a.map((value, i) => value * b[i]);
  const means = colours.map(mean);
  const maskMean = mean(mask);
  const [rr, rg, rb, gg, gb, bb] = [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]].map(([one, other]) => {
    const squares = mean(product(colours[one], colours[other]));
    return squares.map((value, i) => value - means[one][i] * means[other][i] + (one === other ? LEAST_VARIANCE : 0));
  });
  const withMask = colours.map((values, channel) => {
    return mean(product(values, mask)).map((value, i) => value - means[channel][i] * maskMean[i]);
  });
  const slope = colours.map(() => new Float32Array(mask.length));
  for (let i = 0; i < mask.length; i += 1) {
    // Elsewhere the mask is the same all around, and the slope is 0.
    if (Math.abs(maskMean[i] - 0.5) >= 0.5 - 1e-4) continue;
    // The inverse of the symmetric covariance, by its cofactors.
    const [a, b, c] = [gg[i] * bb[i] - gb[i] ** 2, rb[i] * gb[i] - rg[i] * bb[i], rg[i] * gb[i] - rb[i] * gg[i]];
    const [d, e, f] = [rr[i] * bb[i] - rb[i] ** 2, rg[i] * rb[i] - rr[i] * gb[i], rr[i] * gg[i] - rg[i] ** 2];
    const determinant = rr[i] * a + rg[i] * b + rb[i] * c;
    const [red, green, blue] = withMask.map((values) => values[i] / determinant);
    slope[0][i] = a * red + b * green + c * blue;
    slope[1][i] = b * red + d * green + e * blue;
    slope[2][i] = c * red + e * green + f * blue;
  }
  const offset = maskMean.map((value, i) => {
    return value - slope[0][i] * means[0][i] - slope[1][i] * means[1][i] - slope[2][i] * means[2][i];
  });
  return { slope: slope.map(mean), offset: mean(offset) };
}

/** Mean around each pixel of what the weight takes part in. */
function weightedMean(values, weight, shape, radius) {
  const sums = box(values.map((value, i) => value * weight[i]), shape, radius);
  const weights = box(weight, shape, radius);
  return sums.map((value, i) => value / Math.max(weights[i], 1e-4));
}

/** Mean over a square of 2 * radius + 1 pixels; beyond the edge its values go on. */
function box(values, [height, width], radius) {
  const rows = boxAlong(values, height, width, width, 1, radius);
  return boxAlong(rows, width, height, 1, width, radius);
}

/** Running means along `length` values that lie `step` apart, in `lines` lines that lie `stride` apart. */
function boxAlong(values, lines, length, stride, step, radius) {
  const means = new Float32Array(values.length);
  const clamp = (i) => Math.min(Math.max(i, 0), length - 1);
  for (let line = 0; line < lines; line += 1) {
    const start = line * stride;
    let sum = 0;
    for (let i = -radius; i <= radius; i += 1) sum += values[start + clamp(i) * step];
    for (let i = 0; i < length; i += 1) {
      means[start + i * step] = sum / (2 * radius + 1);
      sum += values[start + clamp(i + radius + 1) * step] - values[start + clamp(i - radius) * step];
    }
  }
  return means;
}

/** Means of squares of `step` pixels; those at the right and the bottom may be smaller. */
function reduce(values, height, width, step) {
  if (step === 1) return values;
  const reduced = new Float32Array(Math.ceil(height / step) * Math.ceil(width / step));
  for (let y = 0, target = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step, target += 1) {
      const [bottom, right] = [Math.min(y + step, height), Math.min(x + step, width)];
      let sum = 0;
      for (let row = y; row < bottom; row += 1) {
        for (let i = row * width + x, end = row * width + right; i < end; i += 1) sum += values[i];
      }
      reduced[target] = sum / ((bottom - y) * (right - x));
    }
  }
  return reduced;
}

/** Bilinear, to a size that is not smaller. */
function enlarge(values, [height, width], [newHeight, newWidth]) {
  if (height === newHeight && width === newWidth) return values.slice();
  const large = new Float32Array(newHeight * newWidth);
  const columns = Array.from({ length: newWidth }, (_, x) => between(x, newWidth, width));
  for (let y = 0, target = 0; y < newHeight; y += 1) {
    const [above, below, down] = between(y, newHeight, height);
    for (let x = 0; x < newWidth; x += 1, target += 1) {
      const [before, after, along] = columns[x];
      const upper = values[above * width + before] * (1 - along) + values[above * width + after] * along;
      const lower = values[below * width + before] * (1 - along) + values[below * width + after] * along;
      large[target] = upper * (1 - down) + lower * down;
    }
  }
  return large;
}

/** The two source pixels of a new one along an axis, and how much of the second it takes. */
function between(index, newLength, length) {
  const position = Math.min(Math.max((index + 0.5) * (length / newLength) - 0.5, 0), length - 1);
  const first = Math.floor(position);
  return [first, Math.min(first + 1, length - 1), position - first];
}

/**
 * Objects alone with soft edges, on a transparent ground, without what is empty around them.
 * @param {ImageData} photo
 * @param {import("./paste.js").MaskWindow[]} windows pasted at the photo's size
 * @returns {ImageData} of one transparent pixel where there is no object
 */
export function softCutOut(photo, windows) {
  const parts = windows.filter(({ height }) => height).map((window) => softEdges(photo, window));
  const cut = new ImageData(photo.width, photo.height);
  let [top, left, bottom, right] = [photo.height, photo.width, 0, 0];
  for (const part of parts) {
    for (let y = 0, i = 0; y < part.image.height; y += 1) {
      let j = ((y + part.top) * photo.width + part.left) * 4;
      for (let x = 0; x < part.image.width; x += 1, i += 4, j += 4) {
        const added = part.image.data[i + 3];
        if (!added) continue;
        // Where two objects meet, they share a pixel by their alpha.
        const before = cut.data[j + 3];
        for (let channel = 0; channel < 3; channel += 1) {
          const sum = cut.data[j + channel] * before + part.image.data[i + channel] * added;
          cut.data[j + channel] = sum / (before + added);
        }
        cut.data[j + 3] = before + added;
        top = Math.min(top, y + part.top);
        bottom = Math.max(bottom, y + part.top + 1);
        left = Math.min(left, x + part.left);
        right = Math.max(right, x + part.left + 1);
      }
    }
  }
  if (!bottom) return new ImageData(1, 1);
  const cropped = new ImageData(right - left, bottom - top);
  for (let y = top; y < bottom; y += 1) {
    const start = (y * photo.width + left) * 4;
    cropped.data.set(cut.data.subarray(start, start + cropped.width * 4), (y - top) * cropped.width * 4);
  }
  return cropped;
}
