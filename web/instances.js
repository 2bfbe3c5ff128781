// What the network says of one photo, and what follows from it at any size; as `mrcnn/results/`.

import { cleanMasks } from "./clean.js";
import { pasteMask } from "./paste.js";

/**
 * @typedef {object} Detections
 * @property {Float32Array} boxes y1, x1, y2, x2 one after the other, in pixels of the photo
 * @property {Float32Array} regions where the mask head looked: boxes with a margin, not cut to the photo
 * @property {Float32Array} scores 0 to 1, descending
 * @property {Int32Array} classIds from 1
 * @property {Float32Array} masks N x cells x cells probabilities; the cells tile the regions
 * @property {number} cells
 * @property {[number, number]} imageSize height and width of the photo
 *
 * @typedef {object} Instance
 * @property {number} row from 0; it decides the colour
 * @property {number[]} box y1, x1, y2, x2
 * @property {number} score
 * @property {number} classId
 * @property {import("./paste.js").MaskWindow} window
 */

/**
 * The masks as the network draws them, each by itself.
 * @param {Detections} found
 * @param {[number, number]} [imageSize] height and width of the photo, or of a smaller or larger image of it
 * @returns {import("./paste.js").MaskWindow[]}
 */
export function pasteMasks(found, imageSize = found.imageSize) {
  const area = found.cells * found.cells;
  const regions = scaled(found.regions, found.imageSize, imageSize);
  return Array.from(found.scores, (_, row) => {
    const softMask = found.masks.subarray(row * area, (row + 1) * area);
    return pasteMask(softMask, found.cells, regions.subarray(row * 4, row * 4 + 4), imageSize);
  });
}

/**
 * The detections of at least this score, each pixel in the surest of those that claim it.
 * @param {Detections} found
 * @param {number} confidence 0 to 1
 * @param {[number, number]} [imageSize] as for `pasteMasks`
 * @param {import("./paste.js").MaskWindow[]} [pasted] what that gave
 * @returns {Instance[]}
 */
export function instances(found, confidence, imageSize = found.imageSize, pasted = pasteMasks(found, imageSize)) {
  const count = found.scores.filter((score) => score >= confidence).length;
  const boxes = scaled(found.boxes, found.imageSize, imageSize);
  return cleanMasks(pasted.slice(0, count)).map((window, row) => {
    const { top, left, height, width } = window;
    // The box is that of the mask; that of the box head stays where a mask has no pixel.
    const box = height ? [top, left, top + height, left + width] : Array.from(boxes.subarray(row * 4, row * 4 + 4));
    return { row, box, score: found.scores[row], classId: found.classIds[row], window };
  });
}

function scaled(boxes, from, to) {
  return boxes.map((value, i) => value * (to[i % 2] / from[i % 2]));
}

/**
 * A COCO data set, which pycocotools and labelling tools open as it is.
 * @param {{name: string, imageSize: [number, number], shown: Instance[], milliseconds?: number}[]} photos
 * @param {{id: number, name: string}[]} classes of the model, for class ids 1, 2, and so on; ids as its data has them
 */
export function cocoDocument(photos, classes) {
  const annotations = photos.flatMap(({ imageSize, shown }, index) =>
    shown.map(({ box: [y1, x1, y2, x2], score, classId, window }) => ({
      iscrowd: 0,
      image_id: index + 1,
      category_id: classes[classId - 1].id,
      bbox: [x1, y1, x2 - x1, y2 - y1].map((value) => Number(value.toFixed(2))),
      score: Number(score.toFixed(5)),
      area: window.mask.reduce((sum, pixel) => sum + pixel, 0),
      segmentation: { size: imageSize, counts: compressCounts(runLengths(window, imageSize)) },
    })),
  );
  return {
    images: photos.map(({ name, imageSize: [height, width], milliseconds }, index) => ({
      id: index + 1,
      file_name: name,
      width,
      height,
      milliseconds,
    })),
    annotations: annotations.map((annotation, index) => ({ id: index + 1, ...annotation })),
    categories: classes.map(({ id, name }) => ({ id, name })),
  };
}

/** COCO's run lengths: column by column, alternately empty and full, beginning with empty. */
function runLengths({ top, left, height, width, mask }, [imageHeight, imageWidth]) {
  const counts = [];
  let end = 0; // where the last run that was counted ends
  for (let x = 0; x < width; x += 1) {
    let y = 0;
    while (y < height) {
      while (y < height && !mask[y * width + x]) y += 1;
      const first = y;
      while (y < height && mask[y * width + x]) y += 1;
      if (y === first) break;
      const start = (left + x) * imageHeight + top + first;
      // A run that reaches the photo's bottom goes on where the next column begins at its top.
      if (start === end && counts.length) counts[counts.length - 1] += y - first;
      else counts.push(start - end, y - first);
      end = start + y - first;
    }
  }
  if (end < imageHeight * imageWidth || !counts.length) counts.push(imageHeight * imageWidth - end);
  return counts;
}

/**
 * COCO's compressed text of run lengths: from the fourth count on the difference to the count two places before, in
 * digits of 5 bits, lowest first, with a sixth bit that says that more follow, plus 48.
 */
function compressCounts(counts) {
  let text = "";
  counts.forEach((count, i) => {
    let value = i > 2 ? count - counts[i - 2] : count;
    let follows = true;
    while (follows) {
      const digit = value & 31;
      value >>= 5;
      // The last digit's top bit must be the sign of the number, else one more digit has to say it.
      follows = value !== (digit & 16 ? -1 : 0);
      text += String.fromCharCode((digit | (follows ? 32 : 0)) + 48);
    }
  });
  return text;
}
