// Everything that takes long, beside the page and not in it: reading photos, the network, files at the photo's size.

import { drawInstances, drawSemanticMap, layersOf, lineWidth, viewOf } from "./drawing.js";
import { cocoDocument, instances } from "./instances.js";
import { softCutOut } from "./matting.js";
import { loadNetwork } from "./network.js";

let site;
let network;
let turn = Promise.resolve(); // of the network, which takes one image at a time

const tasks = {
  /** Fetch and prepare the network; says how many threads it runs on. */
  async load({ site: facts, oneThread }) {
    site = facts;
    // Memory that threads share is there only where the host isolates the page (COOP and COEP).
    const threads = self.crossOriginIsolated && !oneThread ? Math.min(navigator.hardwareConcurrency || 1, 4) : 1;
    network = loadNetwork(site, threads, (loaded, total) => self.postMessage({ progress: { loaded, total } }));
    await network;
    return { threads };
  },

  /** What the network finds in a photo (a file) or in a frame of a video (a bitmap), and the image to show it on. */
  async detect({ image }) {
    const isFrame = image instanceof ImageBitmap;
    const bitmap = isFrame ? image : await decode(image);
    const pixels = onWhite(bitmap);
    const { found, milliseconds } = await inTurn(async () => {
      const start = performance.now();
      return { found: await (await network).detect(pixels), milliseconds: performance.now() - start };
    });
    const view = isFrame ? bitmap : await viewOf(bitmap);
    const transfer = [view, found.boxes.buffer, found.scores.buffer, found.classIds.buffer, found.masks.buffer, found.regions.buffer];
    return { result: { found, view, milliseconds }, transfer };
  },

  /** One of the pictures as a PNG at the photo's own size, of one row or of all. */
  async picture({ image, found, row, kind, settings }) {
    const bitmap = await decode(image);
    const all = instances(found, settings.confidence);
    const shown = row === undefined ? all : [all[row]];
    if (kind === "cutout") {
      const windows = shown.map(({ window }) => window);
      return pngOf(softCutOut(onWhite(bitmap), windows));
    }
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d");
    const layers = layersOf(shown, site, lineWidth(bitmap.width, bitmap.height));
    if (kind === "overlay") drawInstances(context, bitmap, layers, site, settings);
    else drawSemanticMap(context, layers, site);
    return canvas.convertToBlob({ type: "image/png" });
  },

  /** All photos as one COCO data set. */
  async coco({ photos, confidence }) {
    const sized = photos.map(({ found, ...facts }) => {
      return { ...facts, imageSize: found.imageSize, shown: instances(found, confidence) };
    });
    return new Blob([JSON.stringify(cocoDocument(sized, site.classes))], { type: "application/json" });
  },
};

self.onmessage = async ({ data: { id, task, ...values } }) => {
  try {
    const answer = await tasks[task](values);
    const { result, transfer } = answer?.transfer ? answer : { result: answer, transfer: [] };
    self.postMessage({ id, result }, transfer);
  } catch (error) {
    self.postMessage({ id, error: error.message });
  }
};

function pngOf(image) {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

function inTurn(work) {
  const result = turn.then(work);
  turn = result.catch(() => {});
  return result;
}

/** A photo as it was taken: turned as its EXIF says, in its own colour values, as in Python. */
async function decode(blob) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    const name = blob.name ? `“${blob.name}”` : "This";
    throw new Error(`${name} is not an image that this browser can read. JPEG, PNG and WebP always work.`);
  }
  const { width, height } = bitmap;
  const { smallest_side: side, largest_area: area } = site.input;
  if (Math.min(width, height) < side) {
    throw new Error(`The image has ${width} x ${height} pixels, but each side must have at least ${side}.`);
  }
  if (width * height > area) {
    throw new Error(`The image has ${width} x ${height} pixels, but at most ${area / 1e6} megapixels are accepted.`);
  }
  return bitmap;
}

/** Pixels of a bitmap, with what is transparent laid on white. */
function onWhite(bitmap) {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}
