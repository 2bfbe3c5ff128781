// Masks without specks and pinholes, each pixel in one of them; as `mrcnn/results/clean.py`.

const SMALLEST_SHARE = 0.01; // of a mask's pixels: smaller pieces are dropped, smaller holes filled

/**
 * @param {import("./paste.js").MaskWindow[]} windows of one image, the surest first
 * @returns {import("./paste.js").MaskWindow[]} each as small as its mask; without pixels where a mask has none, or surer
 *     ones have taken them all
 */
export function cleanMasks(windows) {
  const cleaned = windows.map((window) => ({ ...window, mask: window.mask.slice() }));
  cleaned.forEach(dropSpecks);
  const neighbours = cleaned.map(() => []);
  const robbed = new Set();
  cleaned.forEach((window, row) => {
    for (const surer of cleaned.slice(0, row)) {
      const part = shared(window, surer);
      if (!part) continue;
      neighbours[row].push(surer);
      neighbours[cleaned.indexOf(surer)].push(window);
      forEachPixel(part, (y, x) => {
        const mine = index(window, y, x);
        if (!window.mask[mine] || !surer.mask[index(surer, y, x)]) return;
        window.mask[mine] = 0;
        robbed.add(window);
      });
    }
  });
  robbed.forEach(dropSpecks);
  cleaned.forEach((window, row) => fillPinholes(window, neighbours[row]));
  return cleaned.map(trimmed);
}

/**
 * Pieces of the pixels that have a value, joined by their sides; as runs in the rows, of which a mask has some hundred.
 * @returns {{y: number, start: number, stop: number, piece: number}[]} `piece` is the same for runs of one piece
 */
function runsOf({ height, width, mask }, value) {
  const runs = [];
  const parent = [];
  const root = (piece) => {
    let top = piece;
    while (parent[top] !== top) top = parent[top] = parent[parent[top]];
    return top;
  };
  let above = 0; // the first run of the row above that may still touch
  let row = 0; // the first run of this row
  for (let y = 0; y < height; y += 1) {
    const line = mask.subarray(y * width, (y + 1) * width);
    const first = runs.length;
    above = row;
    row = first;
    let start = line.indexOf(value);
    while (start >= 0) {
      let stop = line.indexOf(1 - value, start);
      if (stop < 0) stop = width;
      const piece = parent.length;
      parent.push(piece);
      while (above < first && runs[above].stop <= start) above += 1;
      for (let other = above; other < first && runs[other].start < stop; other += 1) {
        parent[root(runs[other].piece)] = root(piece);
      }
      runs.push({ y, start, stop, piece });
      start = stop < width ? line.indexOf(value, stop) : -1;
    }
  }
  for (const run of runs) run.piece = root(run.piece);
  return runs;
}

function areasOf(runs) {
  const areas = new Map();
  for (const { piece, start, stop } of runs) areas.set(piece, (areas.get(piece) ?? 0) + stop - start);
  return areas;
}

/** Takes its tiny pieces from a mask. */
function dropSpecks(window) {
  const runs = runsOf(window, 1);
  const areas = areasOf(runs);
  const total = [...areas.values()].reduce((sum, area) => sum + area, 0);
  for (const { y, start, stop, piece } of runs) {
    if (areas.get(piece) < SMALLEST_SHARE * total) paint(window, y, start, stop, 0);
  }
}

/** Fills the tiny holes of a mask in which nothing of its neighbours is. */
function fillPinholes(window, neighbours) {
  const runs = runsOf(window, 0);
  const areas = areasOf(runs);
  const empty = [...areas.values()].reduce((sum, area) => sum + area, 0);
  const kept = new Set(); // of the pieces: those that reach the edge are no holes
  for (const { y, start, stop, piece } of runs) {
    if (y === 0 || y === window.height - 1 || start === 0 || stop === window.width) kept.add(piece);
  }
  const least = SMALLEST_SHARE * (window.mask.length - empty);
  const holes = runs.filter(({ piece }) => !kept.has(piece) && areas.get(piece) < least);
  for (const { y, start, stop, piece } of holes) {
    for (let x = start; x < stop && !kept.has(piece); x += 1) {
      if (neighbours.some((other) => isIn(other, window.top + y, window.left + x))) kept.add(piece);
    }
  }
  for (const { y, start, stop, piece } of holes) if (!kept.has(piece)) paint(window, y, start, stop, 1);
}

/** The same mask in the smallest window. */
function trimmed(window) {
  const { height, width, mask } = window;
  let [top, bottom, left, right] = [height, 0, width, 0];
  for (let y = 0; y < height; y += 1) {
    const line = mask.subarray(y * width, (y + 1) * width);
    const first = line.indexOf(1);
    if (first < 0) continue;
    top = Math.min(top, y);
    bottom = y + 1;
    left = Math.min(left, first);
    right = Math.max(right, line.lastIndexOf(1) + 1);
  }
  if (!bottom) return { top: 0, left: 0, height: 0, width: 0, mask: new Uint8Array() };
  const tight = new Uint8Array((bottom - top) * (right - left));
  for (let y = top; y < bottom; y += 1) {
    tight.set(mask.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return { top: window.top + top, left: window.left + left, height: bottom - top, width: right - left, mask: tight };
}

/** The part of the image that lies in both windows, `[top, left, bottom, right]`; null if there is none. */
function shared(window, other) {
  const top = Math.max(window.top, other.top);
  const left = Math.max(window.left, other.left);
  const bottom = Math.min(window.top + window.height, other.top + other.height);
  const right = Math.min(window.left + window.width, other.left + other.width);
  return bottom > top && right > left ? [top, left, bottom, right] : null;
}

function forEachPixel([top, left, bottom, right], visit) {
  for (let y = top; y < bottom; y += 1) for (let x = left; x < right; x += 1) visit(y, x);
}

function index(window, y, x) {
  return (y - window.top) * window.width + x - window.left;
}

function isIn(window, y, x) {
  const [row, column] = [y - window.top, x - window.left];
  return row >= 0 && row < window.height && column >= 0 && column < window.width && window.mask[index(window, y, x)] === 1;
}

function paint({ width, mask }, y, start, stop, value) {
  mask.fill(value, y * width + start, y * width + stop);
}
