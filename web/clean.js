// From masks as the network draws them, each by itself, to masks as people would draw them; as `mrcnn/results/clean.py`.

const SMALLEST_SHARE = 0.01; // of a mask's pixels: smaller pieces are dropped, smaller holes filled

/**
 * Masks without specks and pinholes, each pixel in one of them, and each window as small as its mask.
 * @param {import("./paste.js").MaskWindow[]} windows the surest first; their masks are changed
 * @returns {import("./paste.js").MaskWindow[]} in the same order
 */
export function cleanMasks(windows) {
  windows.forEach(dropSpecks);
  const pairs = windows.flatMap((other, o) => windows.slice(0, o).map((surer) => [surer, other]));
  const meeting = pairs.filter(([surer, other]) => [...sharedPixels(surer, other, 1)].length);
  const robbed = new Set();
  for (const [surer, other] of meeting) {
    for (const [theirs, mine, length] of sharedPixels(surer, other)) {
      for (let i = 0; i < length; i += 1) {
        if (!surer.mask[theirs + i] || !other.mask[mine + i]) continue;
        other.mask[mine + i] = 0;
        robbed.add(other);
      }
    }
  }
  robbed.forEach(dropSpecks);
  for (const window of windows) {
    const neighbours = meeting.filter((pair) => pair.includes(window)).map(([a, b]) => (a === window ? b : a));
    fillPinholes(window, neighbours);
  }
  return windows.map(trimmed);
}

/** Takes its tiny pieces from a mask. */
function dropSpecks({ mask, width, height }) {
  const { labels, areas } = components(mask, width, height);
  const total = areas.reduce((sum, area) => sum + area, 0);
  if (!areas.some((area) => area < SMALLEST_SHARE * total)) return;
  labels.forEach((label, i) => {
    if (label && areas[label - 1] < SMALLEST_SHARE * total) mask[i] = 0;
  });
}

/** Fills the tiny holes of a mask in which none of its neighbours is. */
function fillPinholes(window, neighbours) {
  const { mask, width, height } = window;
  // With a ring around it, all that is outside of the mask is one piece, the first.
  const ringed = new Uint8Array((width + 2) * (height + 2)).fill(1);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) ringed[(y + 1) * (width + 2) + x + 1] = 1 - mask[y * width + x];
  }
  const { labels, areas } = components(ringed, width + 2, height + 2);
  const limit = SMALLEST_SHARE * mask.reduce((sum, pixel) => sum + pixel, 0);
  const tiny = areas.map((area, index) => index > 0 && area < limit);
  if (!tiny.includes(true)) return;
  const labelAt = (i) => labels[(Math.floor(i / width) + 1) * (width + 2) + (i % width) + 1];
  for (const neighbour of neighbours) {
    for (const [mine, theirs, length] of sharedPixels(window, neighbour)) {
      for (let i = 0; i < length; i += 1) {
        const label = labelAt(mine + i);
        if (neighbour.mask[theirs + i] && label) tiny[label - 1] = false;
      }
    }
  }
  for (let i = 0; i < mask.length; i += 1) {
    const label = labelAt(i);
    if (label && tiny[label - 1]) mask[i] = 1;
  }
}

/**
 * The connected pieces of a mask, pixels joined by their sides.
 * @returns {{labels: Int32Array, areas: number[]}} the piece of each pixel, from 1, 0 outside; and the pixels of each
 */
function components(mask, width, height) {
  const labels = new Int32Array(mask.length);
  const areas = [];
  const waiting = [];
  for (let first = 0; first < mask.length; first += 1) {
    if (!mask[first] || labels[first]) continue;
    areas.push(0);
    labels[first] = areas.length;
    waiting.push(first);
    while (waiting.length) {
      const i = waiting.pop();
      areas[areas.length - 1] += 1;
      const x = i % width;
      if (x > 0) visit(i - 1);
      if (x < width - 1) visit(i + 1);
      if (i >= width) visit(i - width);
      if (i < width * (height - 1)) visit(i + width);
    }
  }
  return { labels, areas };

  function visit(i) {
    if (!mask[i] || labels[i]) return;
    labels[i] = areas.length;
    waiting.push(i);
  }
}

/** Row by row what two windows share: where it begins in the mask of each, and how many pixels it has. */
function* sharedPixels(a, b, most = Infinity) {
  const top = Math.max(a.top, b.top);
  const left = Math.max(a.left, b.left);
  const bottom = Math.min(a.top + a.height, b.top + b.height, top + most);
  const length = Math.min(a.left + a.width, b.left + b.width) - left;
  if (length <= 0) return;
  for (let y = top; y < bottom; y += 1) {
    yield [(y - a.top) * a.width + left - a.left, (y - b.top) * b.width + left - b.left, length];
  }
}

/** The same mask in the smallest window. */
function trimmed({ top, left, width, height, mask }) {
  let [first, last, near, far] = [height, -1, width, -1];
  for (let y = 0; y < height; y += 1) {
    const line = mask.subarray(y * width, (y + 1) * width);
    const start = line.indexOf(1);
    if (start < 0) continue;
    first = Math.min(first, y);
    last = y;
    near = Math.min(near, start);
    far = Math.max(far, line.lastIndexOf(1));
  }
  if (last < 0) return { top: 0, left: 0, width: 0, height: 0, mask: new Uint8Array(0) };
  const [rows, columns] = [last + 1 - first, far + 1 - near];
  const tight = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y += 1) {
    const start = (first + y) * width + near;
    tight.set(mask.subarray(start, start + columns), y * columns);
  }
  return { top: top + first, left: left + near, width: columns, height: rows, mask: tight };
}
