// The network in ONNX Runtime: fetched once, kept for offline use, run on WebAssembly.

import * as ort from "./onnxruntime/ort.wasm.min.mjs";
import { letterbox, toImage } from "./letterbox.js";
import { expandBoxes } from "./paste.js";

/**
 * @param {object} site what the export knows, see `pipeline/exporting/web.py`
 * @param {number} threads
 * @param {(loaded: number, total: number) => void} progress in bytes, as they travel
 */
export async function loadNetwork(site, threads, progress) {
  const sizes = Object.values(site.files);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const loaded = {};
  const fetched = Object.keys(site.files).map((name) =>
    fetchUnzipped(name, site.version, (bytes) => {
      loaded[name] = bytes;
      progress(Object.values(loaded).reduce((sum, value) => sum + value, 0), total);
    }),
  );
  const [model, program] = await Promise.all(fetched);
  ort.env.wasm.wasmBinary = program;
  ort.env.wasm.wasmPaths = new URL("./onnxruntime/", import.meta.url).href;
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(new Uint8Array(model), { executionProviders: ["wasm"] });
  return new Network(session, site);
}

class Network {
  constructor(session, site) {
    this.session = session;
    this.site = site;
  }

  /**
   * @param {ImageData} image
   * @returns {Promise<import("./instances.js").Detections>}
   */
  async detect(image) {
    const { input, least_confidence: confidence, limit, mask_margin: margin } = this.site;
    const { pixels, shape, inner } = letterbox(image, input);
    const { boxes, scores, class_ids: classIds, masks } = await this.session.run({
      windows: new ort.Tensor("float32", [0, 0, ...inner], [1, 4]),
      images: new ort.Tensor("uint8", pixels, [1, ...shape, 3]),
      confidence: new ort.Tensor("float32", [confidence], []),
      limit: new ort.Tensor("int32", [limit], []),
    });
    const imageSize = [image.height, image.width];
    const unclipped = toImage(boxes.data, inner, imageSize);
    return {
      boxes: unclipped.map((value, i) => Math.min(Math.max(value, 0), imageSize[i % 2])),
      regions: expandBoxes(unclipped, margin),
      scores: scores.data,
      classIds: classIds.data,
      masks: masks.data,
      cells: masks.dims[2],
      imageSize,
    };
  }
}

/** A gzipped file of this site, from the cache if it is there, else fetched with progress and kept for offline use. */
async function fetchUnzipped(name, version, progress) {
  const url = new URL(name, import.meta.url);
  // Pages that are not served securely have no cache.
  const cache = await globalThis.caches?.open(`${new URL("./", import.meta.url)}#${version}`); // as in sw.js
  let response = await cache?.match(url);
  let kept = null;
  if (!response) {
    response = await fetch(url);
    if (!response.ok) throw new Error(`The server answered ${response.status} for ${name}.`);
    kept = cache?.put(url, response.clone()).catch(() => {}); // a full or forbidden cache costs offline use only
  }
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        bytes += chunk.length;
        progress(bytes);
        controller.enqueue(chunk);
      },
    }),
  );
  const data = await new Response(counted).arrayBuffer();
  await kept;
  // A server may have said that the file is encoded, and the browser then has unzipped it already.
  const start = new Uint8Array(data, 0, 2);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return data;
  return new Response(new Blob([data]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}
