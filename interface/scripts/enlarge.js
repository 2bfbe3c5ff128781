// A picture as large as the window: wheel, pinch, double click and keys zoom; dragging and arrow keys move it.

const MOST = 16; // times as large as the window shows it
const stage = element.closest("#images");
const page = element.closest("#photo-row");
const dialog = document.createElement("dialog");
dialog.id = "enlarged";
dialog.setAttribute("aria-label", "Enlarged picture");
dialog.innerHTML = `
  <div class="bar" role="toolbar" aria-label="Picture and zoom">
    <button type="button" data-layer="photo">Photo</button>
    <button type="button" data-layer="instances">Instances</button>
    <button type="button" data-layer="semantic">Semantic map</button>
    <span class="gap"></span>
    <button type="button" data-zoom="out" aria-label="Zoom out">&minus;</button>
    <output aria-live="polite">100 %</output>
    <button type="button" data-zoom="in" aria-label="Zoom in">+</button>
    <button type="button" data-zoom="fit">Fit</button>
    <button type="button" data-zoom="close" aria-label="Close">&times;</button>
  </div>
  <div class="view" tabindex="0" role="group" aria-label="Plus and minus zoom, 0 fits, arrow keys move">
    <img alt="" draggable="false"></div>`;
element.closest("#results").append(dialog);
const view = dialog.querySelector(".view");
const picture = dialog.querySelector("img");
const output = dialog.querySelector("output");
let scale = 1;
let [x, y] = [0, 0]; // how far the picture's middle is from that of the view, in pixels

function apply() {
  scale = Math.min(MOST, Math.max(1, scale));
  // The picture cannot be moved out of sight.
  const farthestX = Math.max(0, picture.offsetWidth * scale - view.clientWidth) / 2;
  const farthestY = Math.max(0, picture.offsetHeight * scale - view.clientHeight) / 2;
  x = Math.max(-farthestX, Math.min(farthestX, x));
  y = Math.max(-farthestY, Math.min(farthestY, y));
  picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  output.value = `${Math.round(100 * scale)} %`;
}

/** Zooms by a factor so that the point of the view stays where it is; without one, its middle does. */
function zoom(factor, event) {
  const frame = view.getBoundingClientRect();
  const [atX, atY] = event
    ? [event.clientX - frame.left - frame.width / 2, event.clientY - frame.top - frame.height / 2]
    : [0, 0];
  const before = scale;
  scale = Math.min(MOST, Math.max(1, scale * factor));
  const grown = scale / before;
  [x, y] = [atX - (atX - x) * grown, atY - (atY - y) * grown];
  apply();
}

function fit() {
  [scale, x, y] = [1, 0, 0];
  apply();
}

function showLayer(name) {
  const source =
    name === "photo" ? page.querySelector("#photo .image-frame img") : stage.querySelector(`.${name} .image img`);
  if (!source) return;
  [picture.src, picture.alt] = [source.src, source.alt];
  view.classList.toggle("clear", !!source.closest(".clear"));
  for (const button of dialog.querySelectorAll("[data-layer]"))
    button.setAttribute("aria-pressed", button.dataset.layer === name);
}

const actions = { in: () => zoom(1.5), out: () => zoom(1 / 1.5), fit, close: () => dialog.close() };

function open(name) {
  // Layers differ in how many pixels they have, and must not in size.
  const { width, height } = stage.querySelector(`.${name} .image img`);
  dialog.style.setProperty("--ratio", width / height);
  showLayer(name);
  dialog.showModal();
  view.focus();
  fit();
}

stage.addEventListener("click", (event) => {
  const image = event.target.closest(".image");
  const onGround = image && !event.target.closest("button, path, .before") && stage.dataset.view !== "compare";
  if (!event.target.closest('[data-do="enlarge"]') && !onGround) return;
  open(image.closest("figure").classList[0]);
});
dialog.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.layer) showLayer(button.dataset.layer);
  actions[button?.dataset.zoom]?.();
});
dialog.addEventListener("keydown", (event) => {
  const step = 60;
  const keys = {
    "+": actions.in,
    "=": actions.in,
    "-": actions.out,
    0: fit,
    ArrowLeft: () => (x += step),
    ArrowRight: () => (x -= step),
    ArrowUp: () => (y += step),
    ArrowDown: () => (y -= step),
  };
  if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  keys[event.key]();
  apply();
});
view.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), event); // a pinch on a touchpad comes as ctrl
  },
  { passive: false },
);
view.addEventListener("dblclick", (event) => (scale > 1 ? fit() : zoom(3, event)));

// One pointer moves the picture, two pinch it.
const pointers = new Map();
const spread = () => {
  const [first, second] = pointers.values();
  return {
    apart: Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY),
    clientX: (first.clientX + second.clientX) / 2,
    clientY: (first.clientY + second.clientY) / 2,
  };
};
view.addEventListener("pointerdown", (event) => {
  view.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
});
view.addEventListener("pointermove", (event) => {
  const last = pointers.get(event.pointerId);
  if (!last) return;
  if (pointers.size === 2) {
    const before = spread();
    pointers.set(event.pointerId, event);
    const now = spread();
    [x, y] = [x + now.clientX - before.clientX, y + now.clientY - before.clientY];
    zoom(now.apart / before.apart, now);
  } else {
    [x, y] = [x + event.clientX - last.clientX, y + event.clientY - last.clientY];
    pointers.set(event.pointerId, event);
    apply();
  }
});
for (const end of ["pointerup", "pointercancel"])
  view.addEventListener(end, (event) => pointers.delete(event.pointerId));
new ResizeObserver(() => dialog.open && apply()).observe(view);
