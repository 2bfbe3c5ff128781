// From the mask head's small square of probabilities to the pixels of the photo; as `mrcnn/results/paste.py`.

const THRESHOLD = 0.5;
const UNSURE_CELLS = 1.5; // whose convolutions look at more of what is beyond the photo than of the photo

/**
 * The part of a photo-sized mask that lies in a box; outside of it the mask is empty.
 * @typedef {{top: number, left: number, height: number, width: number, mask: Uint8Array}} MaskWindow
 */

/**
 * @param {Float32Array} softMask cells x cells probabilities, which tile the region
 * @param {number} cells
 * @param {ArrayLike<number>} region y1, x1, y2, x2 in pixels of the photo, not cut to it: what reaches out of it counts
 * @param {[number, number]} imageSize height and width of the photo
 * @returns {MaskWindow}
 */
export function pasteMask(softMask, cells, [y1, x1, y2, x2], [imageHeight, imageWidth]) {
  const rows = interpolation(y1, y2, imageHeight, cells);
  const columns = interpolation(x1, x2, imageWidth, cells);
  const [height, width] = [rows.length, columns.length];
  const mask = new Uint8Array(height * width);
  const line = new Float32Array(cells);
  for (let y = 0; y < height; y += 1) {
    const above = rows.cell[y] * cells;
    const below = above + cells;
    // A weight beyond the grid is lost: the mask fades out at the edge of its region.
    for (let k = 0; k < cells; k += 1) {
      line[k] = rows.near[y] * (softMask[above + k] ?? 0) + rows.far[y] * (softMask[below + k] ?? 0);
    }
    for (let x = 0, target = y * width; x < width; x += 1) {
      const k = columns.cell[x];
      const value = columns.near[x] * (line[k] ?? 0) + columns.far[x] * (line[k + 1] ?? 0);
      mask[target + x] = value > THRESHOLD ? 1 : 0;
    }
  }
  return { top: rows.start, left: columns.start, height, width, mask };
}

/** For each pixel that the region touches along one axis: the cell before its centre, and the weights of both. */
function interpolation(low, high, size, cells) {
  const start = Math.max(Math.floor(low), 0);
  const length = high > low ? Math.max(Math.min(Math.ceil(high), size) - start, 0) : 0;
  const cell = new Int32Array(length);
  const near = new Float32Array(length);
  const far = new Float32Array(length);
  const scale = cells / (high - low);
  // Where the photo ends the mask is continued: cells beyond it, and those that see too little of it, are not read.
  const first = Math.ceil(-low * scale - 0.5 + UNSURE_CELLS);
  const last = Math.floor((size - low) * scale - 0.5 - UNSURE_CELLS);
  for (let i = 0; i < length; i += 1) {
    let position = (start + i + 0.5 - low) * scale - 0.5;
    if (first > 0) position = Math.max(position, Math.min(first, cells - 1));
    if (last < cells - 1) position = Math.min(position, Math.max(last, 0));
    cell[i] = Math.floor(position);
    far[i] = position - cell[i];
    near[i] = 1 - far[i];
  }
  return { start, length, cell, near, far };
}

/** Boxes, one after the other, grown at each edge by `margin` times their height or width. */
export function expandBoxes(boxes, margin) {
  return boxes.map((value, i) => {
    const opposite = boxes[i % 4 < 2 ? i + 2 : i - 2];
    return value + (value - opposite) * margin;
  });
}
