// The page: photos come in, the worker looks at them, the result is drawn, copied and saved.

import { Camera } from "./camera.js";
import { Client } from "./client.js";
import { showCards } from "./cards.js";
import { css, viewOf } from "./drawing.js";
import { Stage } from "./stage.js";
import { counted, sentence } from "./words.js";

/**
 * @typedef {object} Photo
 * @property {string} name
 * @property {Blob} image the file
 * @property {import("./instances.js").Detections} [found]
 * @property {ImageBitmap} [view] the photo at the size of a screen
 * @property {number} [milliseconds]
 * @property {string} [error]
 */

const element = (id) => document.getElementById(id);

const site = await (await fetch("site.json")).json();
const stage = new Stage(site, point);
const client = new Client(showProgress);
const camera = new Camera(client, { onFrame: showFrame, onStop: stopCamera });

/** @type {Photo[]} */
let photos = [];
/** @type {Photo} */
let current = null;
let busy = Promise.resolve();
let failure = ""; // why the network cannot run at all

// Settings: everything here redraws, nothing runs the network.

function settings() {
  return {
    confidence: element("confidence").valueAsNumber / 100,
    opacity: element("opacity").valueAsNumber / 100,
    outlines: element("outlines").checked,
    boxes: element("boxes").checked,
    labels: element("labels").checked,
  };
}

function showValues() {
  for (const name of ["confidence", "opacity"]) element(`${name}-value`).value = `${element(name).value} %`;
}

document.querySelector(".settings").addEventListener("input", () => {
  showValues();
  if (!stage.shown) return;
  stage.draw(settings());
  if (camera.running) return;
  describe();
  showStrip();
});
document.querySelector(".settings").addEventListener("submit", (event) => event.preventDefault());

// The network.

function showProgress({ loaded, total }) {
  element("progress").hidden = loaded >= total;
  element("progress").value = loaded / total;
}

/** Whether this browser has what the network needs: WebAssembly with 128-bit vectors. */
function canRun() {
  // The smallest module with such an instruction: a function that makes a vector and drops it.
  const module = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11];
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(module));
}

async function load() {
  if (!canRun()) {
    throw new Error("This browser lacks WebAssembly SIMD, which the network needs. Browsers since 2023 have it.");
  }
  const start = performance.now();
  const { threads } = await client.ask("load", { site, oneThread: location.search === "?threads=1" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  element("engine").textContent =
    `Ready after ${seconds} s, on ${threads === 1 ? "one thread" : `${threads} threads`} of WebAssembly.`;
  document.documentElement.dataset.ready = threads;
}

// Photos.

/** Looks at photos one after the other; what is chosen meanwhile waits its turn. */
function add(files) {
  const chosen = Array.from(files, (image) => ({ name: image.name || "photo.png", image }));
  if (!chosen.length) return;
  camera.stop();
  photos = photos.concat(chosen);
  if (!current || current.example) show(chosen[0]);
  showStrip();
  busy = busy.then(async () => {
    for (const photo of chosen) {
      if (chosen.length === 1 || !current.found) show(photo);
      await look(photo);
      showStrip();
      if (photo === current) show(photo);
    }
  });
}

async function look(photo) {
  try {
    await ready;
    Object.assign(photo, await client.ask("detect", { image: photo.image }));
  } catch (error) {
    photo.error = error.message;
  }
}

function show(photo) {
  current = photo;
  if (photo.found) {
    stage.show(photo.view, photo.found);
    stage.draw(settings());
  }
  describe();
  showStrip();
}

/** Everything on the page that says in words, or in small, what the two pictures show. */
function describe() {
  const { found, error, name, milliseconds, example } = current ?? {};
  element("status").classList.toggle("error", Boolean(error || failure));
  document.body.classList.toggle("waiting", !found && !error);
  if (error || failure) element("status").textContent = error || failure;
  else if (!found) element("status").textContent = `Looking at “${name}” …`;
  else if (example) element("status").textContent = site.invitation;
  else element("status").textContent = sentence(found, stage.shown, milliseconds, site, settings().confidence);
  const shown = found ? stage.shown : [];
  const words = counted(shown, site.classes);
  element("instances").setAttribute("aria-label", `The photo with ${words} marked`);
  element("semantic").setAttribute("aria-label", `Map of the classes with ${words}`);
  showCards(element("cutouts"), { site, view: current?.view, shown, point, save, copy });
  showLegend(shown);
  element("results").hidden = !found;
  element("nothing").hidden = shown.length > 0;
  element("nothing").textContent = found && !shown.length ? sentence(found, shown, undefined, site, settings().confidence) : "";
  for (const button of document.querySelectorAll("[data-download]")) button.disabled = !shown.length;
}

/** Names the colours of the semantic map. */
function showLegend(shown) {
  const present = [...new Set(shown.map(({ classId }) => classId))].map((classId) => site.classes[classId - 1]);
  const entries = [...present, { name: "background", colour: site.background_colour }].flatMap(({ name, colour }) => {
    const swatch = Object.assign(document.createElement("i"), { className: "swatch" });
    swatch.style.setProperty("--colour", css(colour));
    return [swatch, name];
  });
  element("legend").replaceChildren(...entries);
}

function showStrip() {
  const strip = element("strip");
  strip.hidden = photos.length < 2;
  if (strip.hidden) return;
  photos.forEach((photo, index) => {
    const item = strip.children[index] ?? strip.appendChild(stripItem(photo));
    const button = item.firstElementChild;
    const state = photo.error ? "not read" : photo.found ? counted(shownOf(photo), site.classes) : "waiting";
    button.setAttribute("aria-current", String(photo === current));
    button.setAttribute("aria-label", `${photo.name}: ${state}`);
    button.lastElementChild.textContent = state;
    const canvas = button.firstElementChild;
    if (photo.view && !canvas.dataset.drawn) {
      canvas.dataset.drawn = "yes";
      const scale = Math.max(canvas.width / photo.view.width, canvas.height / photo.view.height);
      const [width, height] = [photo.view.width * scale, photo.view.height * scale];
      const corner = [(canvas.width - width) / 2, (canvas.height - height) / 2];
      canvas.getContext("2d").drawImage(photo.view, ...corner, width, height);
    }
  });
}

function stripItem(photo) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  const canvas = Object.assign(document.createElement("canvas"), { width: 192, height: 144 });
  button.append(canvas, document.createElement("span"));
  button.addEventListener("click", () => show(photo));
  item.append(button);
  return item;
}

// Pointing: an instance stands out in both pictures and in the list.

function point(row) {
  stage.point(row);
  for (const card of element("cutouts").children) card.classList.toggle("active", Number(card.dataset.row) === row);
}

// Files.

function shownOf(photo) {
  const { confidence } = settings();
  return Array.from(photo.found.scores, (score, row) => ({ row, score, classId: photo.found.classIds[row] })).filter(
    ({ score }) => score >= confidence,
  );
}

function picture(kind, row) {
  const { image, found } = current;
  return client.ask("picture", { image, found, row, kind, settings: settings() });
}

async function save(kind, row) {
  const stem = current.name.replace(/\.[^.]*$/, "");
  if (kind === "coco") {
    const done = photos.length ? photos.filter(({ found }) => found) : [current];
    const sent = done.map((photo) => ({
      name: photo.name,
      milliseconds: photo.milliseconds && Math.round(photo.milliseconds),
      found: photo.found,
    }));
    return download(await client.ask("coco", { photos: sent, confidence: settings().confidence }), done.length > 1 ? "photos.json" : `${stem}.json`);
  }
  const number = row === undefined ? "" : `-${row + 1}`;
  download(await picture(kind, row), `${stem}-${kind}${number}.png`);
}

async function copy(row) {
  // The promise goes into the clipboard item: Safari accepts nothing that is made after the click has passed.
  await navigator.clipboard.write([new ClipboardItem({ "image/png": picture("cutout", row) })]);
}

function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await save(button.dataset.download);
    } catch (error) {
      element("status").textContent = error.message;
    }
    button.disabled = false;
  });
}

// The camera.

function showFrame(view, found, rate) {
  stage.show(view, found);
  stage.draw(settings());
  const words = counted(stage.shown, site.classes);
  element("status").textContent = `Live: ${words}${rate ? `, ${rate.toFixed(1)} pictures a second` : ""}`;
}

function stopCamera(error) {
  element("camera").setAttribute("aria-pressed", "false");
  element("camera").textContent = "Live camera";
  element("snapshot").hidden = true;
  document.body.classList.remove("live");
  element("status").setAttribute("aria-live", "polite");
  if (current?.found) show(current);
  if (error || failure) element("status").textContent = error || failure;
}

element("camera").addEventListener("click", async () => {
  if (camera.running) return camera.stop();
  element("camera").setAttribute("aria-pressed", "true");
  element("camera").textContent = "Stop camera";
  element("status").textContent = "Waiting for the camera …";
  // Read aloud, five sentences a second would be a torment.
  element("status").setAttribute("aria-live", "off");
  document.body.classList.add("live");
  if (await camera.start(ready)) element("snapshot").hidden = false;
});

element("snapshot").addEventListener("click", async () => {
  const image = await camera.photo();
  add([new File([image], `camera-${photos.length + 1}.png`, { type: image.type })]);
});

// Ways in: choose, paste, drop.

element("choose").addEventListener("click", () => element("files").click());
element("files").addEventListener("change", () => {
  add(element("files").files);
  element("files").value = ""; // so that the same photo can be chosen again
});
document.addEventListener("paste", (event) => add(images(event.clipboardData)));
let inside = 0; // enter and leave come for every element that is passed
document.addEventListener("dragenter", () => (element("drop").hidden = (inside += 1) === 0));
document.addEventListener("dragleave", () => (element("drop").hidden = (inside -= 1) === 0));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  inside = 0;
  element("drop").hidden = true;
  add(images(event.dataTransfer));
});

function images(transfer) {
  return [...transfer.files].filter(({ type }) => type.startsWith("image/") || !type);
}

// The finished example that the page opens with, while the network is on its way.

async function showExample() {
  const response = await fetch("example.json");
  const { name, found } = await response.json();
  const image = await (await fetch(name)).blob();
  const { scores, boxes, regions, class_ids: classIds, masks, cells, image_size: imageSize } = found;
  const view = await viewOf(await createImageBitmap(image, { colorSpaceConversion: "none" }));
  const bytes = Uint8Array.from(atob(masks), (character) => character.charCodeAt(0));
  const example = { name, image, view, example: true };
  example.found = {
    boxes: Float32Array.from(boxes.flat()),
    regions: Float32Array.from(regions.flat()),
    scores: Float32Array.from(scores),
    classIds: Int32Array.from(classIds),
    masks: new Float32Array(bytes.buffer),
    cells,
    imageSize,
  };
  if (!current) show(example);
}

element("confidence").value = 100 * site.confidence;
element("megabytes").textContent = `${(Object.values(site.files).reduce((a, b) => a + b, 0) / 1e6).toFixed(1)} MB`;
showValues();
showExample();
const ready = load();
ready.catch((error) => {
  element("progress").hidden = true;
  failure = error.message;
  describe();
});
navigator.serviceWorker?.register("sw.js");
