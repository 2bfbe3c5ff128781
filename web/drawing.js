// The pictures of a result: instances over the photo, the semantic map, cut-outs. On the page at the size of the
// screen, in the worker at the photo's; nothing here knows which.

const VIEW = 1280; // longer side in pixels of what the page shows
const FONT = "600 1px system-ui, sans-serif";

/**
 * @typedef {import("./instances.js").Instance & {colour: number[], fill: OffscreenCanvas, outline: OffscreenCanvas,
 *     classFill: OffscreenCanvas}} Layer An instance with its mask as images of one colour each, so that another
 *     opacity, or another confidence, costs a few copies and no arithmetic.
 */

/**
 * @param {import("./instances.js").Instance[]} shown
 * @param {object} site
 * @param {number} thickness of outlines in pixels, see `lineWidth`
 * @returns {Layer[]}
 */
export function layersOf(shown, site, thickness) {
  return shown.map((instance) => {
    const { window } = instance;
    const colour = site.instance_colours[instance.row % site.instance_colours.length];
    const edge = outlineOf(window, thickness);
    return {
      ...instance,
      colour,
      fill: tinted(window, window.mask, colour),
      outline: tinted(window, edge, colour),
      classFill: tinted(window, window.mask, site.classes[instance.classId - 1].colour),
    };
  });
}

/** A photo at the size of a screen; small ones grow, because outlines drawn at their size would show its pixels. */
export function viewOf(bitmap) {
  const scale = VIEW / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length * scale)));
  return createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
}

/**
 * @param {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} context of a canvas of the photo's size
 * @param {ImageBitmap} photo
 * @param {Layer[]} layers best score first
 * @param {object} site
 * @param {{opacity: number, outlines: boolean, boxes: boolean, labels: boolean}} settings opacity 0 to 1
 */
export function drawInstances(context, photo, layers, site, settings) {
  const { width, height } = context.canvas;
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(photo, 0, 0, width, height);
  const thickness = lineWidth(width, height);
  // From the lowest score up: where masks overlap the surest one lies on top, as in the semantic map.
  for (const layer of layers.toReversed()) {
    context.globalAlpha = settings.opacity;
    paint(context, layer.fill, layer);
    context.globalAlpha = 1;
    if (settings.outlines) paint(context, layer.outline, layer);
    if (settings.boxes) {
      const [y1, x1, y2, x2] = layer.box;
      context.strokeStyle = css(layer.colour);
      context.lineWidth = thickness;
      context.strokeRect(x1 + thickness / 2, y1 + thickness / 2, x2 - x1 - thickness, y2 - y1 - thickness);
    }
  }
  if (settings.labels) drawTags(context, layers, site);
}

/** The class of each pixel, one colour a class, on a dark ground. */
export function drawSemanticMap(context, layers, site) {
  context.fillStyle = css(site.background_colour);
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  for (const layer of layers.toReversed()) paint(context, layer.classFill, layer);
}

/** Darkens all but one instance. */
export function spotlight(context, layer) {
  const { width, height } = context.canvas;
  const veil = new OffscreenCanvas(width, height);
  const pen = veil.getContext("2d");
  pen.fillStyle = "rgb(10 12 18 / 0.62)";
  pen.fillRect(0, 0, width, height);
  pen.globalCompositeOperation = "destination-out";
  paint(pen, layer.fill, layer);
  context.drawImage(veil, 0, 0);
}

/**
 * Objects alone, on a transparent ground, without what is empty around them; for the small pictures of the page, with
 * edges as they come. Files have soft ones, see `matting.js`.
 * @param {ImageBitmap} photo
 * @param {import("./instances.js").Instance[]} shown pasted at the photo's size
 */
export function cutOut(photo, shown) {
  const windows = shown.map(({ window }) => window).filter(({ height }) => height);
  const top = Math.min(...windows.map((window) => window.top));
  const left = Math.min(...windows.map((window) => window.left));
  const bottom = Math.max(...windows.map((window) => window.top + window.height));
  const right = Math.max(...windows.map((window) => window.left + window.width));
  if (!windows.length) return new OffscreenCanvas(1, 1);
  const canvas = new OffscreenCanvas(right - left, bottom - top);
  const context = canvas.getContext("2d");
  for (const window of windows) {
    context.drawImage(tinted(window, window.mask, [0, 0, 0]), window.left - left, window.top - top);
  }
  context.globalCompositeOperation = "source-in";
  context.drawImage(photo, -left, -top);
  return canvas;
}

export function css([red, green, blue]) {
  return `rgb(${red} ${green} ${blue})`;
}

/** Black or white, whichever reads better on a colour: at a relative luminance of 0.18 they stand out equally. */
export function inkOn(colour) {
  const [red, green, blue] = colour.map((value) => (value / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "black" : "white";
}

/** A score as a whole number of percent; 100 only for a score of exactly 1. */
export function percent(score) {
  return `${score === 1 ? 100 : Math.min(Math.round(score * 100), 99)} %`;
}

/** In proportion to the image: 2 pixels at 640 x 480. */
export function lineWidth(width, height) {
  return Math.max(1, Math.round(Math.sqrt(width * height) / 280));
}

function paint(context, image, { window }) {
  if (image) context.drawImage(image, window.left, window.top);
}

/** An image of a window in one colour, transparent where `pixels` is 0; null for a window without pixels. */
function tinted({ height, width }, pixels, [red, green, blue]) {
  if (!height || !width) return null;
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  // One word a pixel; bytes lie in the order of the machine, and all that run a browser are little-endian.
  const words = new Uint32Array(image.data.buffer);
  const word = ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  for (let i = 0; i < pixels.length; i += 1) if (pixels[i]) words[i] = word;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** The pixels of a mask that lie within `thickness` of its edge along a row or a column. */
function outlineOf({ height, width, mask }, thickness) {
  const edge = new Uint8Array(mask.length);
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      if (!mask[i]) continue;
      const inside =
        x >= thickness &&
        x < width - thickness &&
        y >= thickness &&
        y < height - thickness &&
        mask[i - thickness] &&
        mask[i + thickness] &&
        mask[i - thickness * width] &&
        mask[i + thickness * width];
      if (!inside) edge[i] = 1;
    }
  }
  return edge;
}

/** Writes number, class and score above each box, or inside where there is no room, moved down past other tags. */
function drawTags(context, layers, site) {
  const { width, height } = context.canvas;
  const size = Math.max(11, Math.round(Math.sqrt(width * height) / 30));
  const padding = Math.round(size * 0.4);
  const tagHeight = Math.round(size * 1.5);
  context.font = FONT.replace("1px", `${size}px`);
  context.textBaseline = "middle";
  const taken = [];
  for (const layer of layers) {
    const text = `${layer.row + 1} ${site.classes[layer.classId - 1].name} ${percent(layer.score)}`;
    const tagWidth = Math.ceil(context.measureText(text).width) + 2 * padding;
    const left = Math.max(0, Math.min(layer.box[1], width - tagWidth));
    let top = layer.box[0] >= tagHeight ? layer.box[0] - tagHeight : layer.box[0];
    for (let blocking = true; blocking; ) {
      blocking = taken.find(
        (other) =>
          top < other.top + tagHeight &&
          other.top < top + tagHeight &&
          left < other.left + other.width &&
          other.left < left + tagWidth,
      );
      if (blocking && blocking.top + 2 * tagHeight > height) break;
      if (blocking) top = blocking.top + tagHeight;
    }
    top = Math.max(0, Math.min(top, height - tagHeight));
    taken.push({ top, left, width: tagWidth });
    context.fillStyle = css(layer.colour);
    context.beginPath();
    context.roundRect(left, top, tagWidth, tagHeight, size * 0.3);
    context.fill();
    context.fillStyle = inkOn(layer.colour);
    context.fillText(text, left + padding, top + tagHeight / 2 + 1);
  }
}
