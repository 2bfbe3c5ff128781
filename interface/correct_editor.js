// The editor of the Correct tab. A photo is one number a pixel: 0 is the ground, every other number an object, and the
// brush writes the number of the chosen one. The page talks to it by open(), collect(), saved() and dirty.
const root = element.querySelector(".editor");
const part = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
const pen = part.masks.getContext("2d");
const MOST_STEPS = 30, LARGEST_NUMBER = 255;
const CHOSEN_ALPHA = 150, OTHER_ALPHA = 80;

let width = 0, height = 0, labels = new Uint8Array(0), objects = [], chosen = 0;
let opened = null, used = 0, tool = "draw", past = [], future = [], unsaved = false;
let edits = 0, collected = 0;  // how many there were, ever and when they were last collected
let point = null, stroking = false, keyStroke = false, spotted = null;

const say = (words) => { part.says.textContent = words; };
const objectOf = (number) => objects.find((object) => object.number === number);
const titled = (object) => `${object.class} ${object.number}`;
const colourOf = (number) => opened.palette[(number - 1) % opened.palette.length];

// ---- What can be undone.

const keep = () => {
  past.push({ labels: labels.slice(), objects: objects.map((object) => ({ ...object })), chosen });
  if (past.length > MOST_STEPS) past.shift();
  future = [];
  edits++;
  unsaved = true;
};
const step = (from, to, words) => {
  if (!from.length) return say(`Nothing to ${words}.`);
  to.push({ labels, objects, chosen });
  ({ labels, objects, chosen } = from.pop());
  edits++;
  unsaved = true;
  listObjects();
  render();
  say(words === "undo" ? "Undone." : "Done again.");
};

// ---- Drawing.

const render = (left = 0, top = 0, right = width, bottom = height) => {
  // One pixel more on each side: its outline may be another now.
  left = Math.max(0, left - 1); top = Math.max(0, top - 1);
  right = Math.min(width, right + 1); bottom = Math.min(height, bottom + 1);
  if (right <= left || bottom <= top) return;
  const image = pen.createImageData(right - left, bottom - top);
  let place = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++, place += 4) {
      const at = y * width + x, number = labels[at];
      if (!number) continue;
      const edge = x === 0 || y === 0 || x === width - 1 || y === height - 1 || labels[at - 1] !== number ||
        labels[at + 1] !== number || labels[at - width] !== number || labels[at + width] !== number;
      const [red, green, blue] = colourOf(number);
      image.data[place] = red;
      image.data[place + 1] = green;
      image.data[place + 2] = blue;
      image.data[place + 3] = edge ? 255 : number === chosen ? CHOSEN_ALPHA : OTHER_ALPHA;
    }
  }
  pen.putImageData(image, left, top);
};

const radius = () => Number(part.size.value);

const stroke = (from, to) => {
  const reach = radius(), number = tool === "draw" ? chosen : 0;
  const steps = Math.max(1, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / Math.max(1, reach / 3)));
  for (let index = 0; index <= steps; index++) {
    const centreX = from.x + ((to.x - from.x) * index) / steps, centreY = from.y + ((to.y - from.y) * index) / steps;
    for (let y = Math.max(0, Math.ceil(centreY - reach - 0.5)); y <= Math.min(height - 1, centreY + reach); y++) {
      const across = Math.sqrt(Math.max(0, reach * reach - (y + 0.5 - centreY) ** 2));
      const first = Math.max(0, Math.round(centreX - across)), last = Math.min(width, Math.round(centreX + across));
      for (let at = y * width + first; at < y * width + last; at++) {
        if (number || labels[at] === chosen) labels[at] = number;  // the eraser spares the other objects
      }
    }
  }
  render(Math.floor(Math.min(from.x, to.x) - reach), Math.floor(Math.min(from.y, to.y) - reach),
    Math.ceil(Math.max(from.x, to.x) + reach), Math.ceil(Math.max(from.y, to.y) + reach));
};

const startStroke = () => {
  if (!objectOf(chosen)) {
    if (tool === "erase") { say("Choose an object to erase from."); return false; }
    if (!add()) return false;
  } else keep();
  return true;
};

// ---- Objects.

const add = () => {
  const numbers = new Set(objects.map((object) => object.number));
  // A number that once stood for something else is taken only when there is no other.
  let number = ++used;
  if (number > LARGEST_NUMBER) number = [...Array(LARGEST_NUMBER).keys()].map((n) => n + 1).find((n) => !numbers.has(n));
  if (!number) { say(`There can be ${LARGEST_NUMBER} objects at most.`); return false; }
  keep();
  objects.push({ number, class: objectOf(chosen)?.class ?? opened.classes[0], words: "new" });
  choose(number);
  setTool("draw");
  say(`New object ${number}: brush over it in the photo.`);
  return true;
};

const remove = (number) => {
  const object = objectOf(number);
  if (!object) return say("Choose an object first.");
  keep();
  for (let at = 0; at < labels.length; at++) if (labels[at] === number) labels[at] = 0;
  objects = objects.filter((other) => other !== object);
  choose(objects[0]?.number ?? 0);
  say(`Deleted ${titled(object)}. Undo brings it back.`);
};

const choose = (number) => { chosen = number; listObjects(); render(); };

const listObjects = () => {
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  part.count.textContent = objects.length === 1 ? "1 object" : `${objects.length} objects`;
  part.objects.replaceChildren(...objects.map((object) => {
    const row = document.createElement("li");
    row.classList.toggle("chosen", object.number === chosen);
    const pick = document.createElement("input");
    Object.assign(pick, { type: "radio", name: "edited-object", checked: object.number === chosen });
    pick.dataset.key = `pick-${object.number}`;
    pick.addEventListener("change", () => { choose(object.number); say(`Brushing ${titled(object)}.`); });
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = `rgb(${colourOf(object.number)})`;
    const name = document.createElement("label");
    name.append(pick, swatch, opened.classes.length > 1 ? `${object.number}` : `${object.number} ${object.class}`);
    row.append(name);
    if (opened.classes.length > 1) row.append(classMenu(object));
    const words = document.createElement("span");
    words.className = "words";
    words.textContent = object.words;
    const away = document.createElement("button");
    Object.assign(away, { type: "button", textContent: "Delete", ariaLabel: `Delete ${titled(object)}` });
    away.dataset.key = `delete-${object.number}`;
    away.addEventListener("click", () => remove(object.number));
    row.append(words, away);
    return row;
  }));
  if (focused) (part.objects.querySelector(`[data-key="${focused}"]`) ?? root.querySelector(`[data-key="${focused}"]`) ??
    part.frame).focus({ preventScroll: true });
};

const classMenu = (object) => {
  const menu = document.createElement("select");
  menu.ariaLabel = `Class of object ${object.number}`;
  menu.dataset.key = `class-${object.number}`;
  menu.append(...opened.classes.map((name) => new Option(name, name, false, name === object.class)));
  menu.addEventListener("change", () => {
    keep();
    objectOf(object.number).class = menu.value;
    listObjects();
    say(`Object ${object.number} is a ${menu.value} now.`);
  });
  return menu;
};

// ---- Pointer.

const placeOf = (event) => {
  const seen = part.masks.getBoundingClientRect();
  return { x: ((event.clientX - seen.left) * width) / seen.width, y: ((event.clientY - seen.top) * height) / seen.height };
};

const showBrush = (place) => {
  spotted = place;
  const scale = part.masks.clientWidth / width, reach = radius() * scale;
  part.brush.hidden = !place || tool === "pick";
  if (!place) return;
  part.brush.style.cssText =
    `width: ${2 * reach}px; height: ${2 * reach}px; left: ${place.x * scale - reach}px; top: ${place.y * scale - reach}px`;
};

part.masks.addEventListener("pointerdown", (event) => {
  if (!opened || event.button !== 0) return;
  const place = placeOf(event);
  if (tool === "pick") {
    const number = labels[Math.floor(place.y) * width + Math.floor(place.x)];
    if (number) { choose(number); say(`Brushing ${titled(objectOf(number))}.`); }
    return;
  }
  event.preventDefault();
  part.frame.focus({ preventScroll: true });
  if (!startStroke()) return;
  part.masks.setPointerCapture(event.pointerId);
  stroking = true;
  point = place;
  stroke(point, point);
});
part.masks.addEventListener("pointermove", (event) => {
  if (!opened) return;
  const place = placeOf(event);
  showBrush(place);
  if (!stroking) return;
  stroke(point, place);
  point = place;
});
for (const name of ["pointerup", "pointercancel"]) part.masks.addEventListener(name, () => { stroking = false; });
part.masks.addEventListener("pointerleave", () => { if (!stroking) showBrush(null); });

// ---- Keyboard: the arrows move a brush, Space puts it down and lifts it.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const resize = (factor) => {
  part.size.value = Math.round(factor > 1 ? radius() * factor + 1 : radius() * factor);
  part.size.dispatchEvent(new Event("input"));
};
const keys = {
  d: () => setTool("draw"), e: () => setTool("erase"), p: () => setTool("pick"), n: () => add(),
  Delete: () => remove(chosen), "[": () => resize(0.8), "]": () => resize(1.25),
};
part.frame.addEventListener("keydown", (event) => {
  if (!opened || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key === "z") { event.preventDefault(); event.shiftKey ? step(future, past, "redo") : step(past, future, "undo"); }
    if (key === "y") { event.preventDefault(); step(future, past, "redo"); }
    return;
  }
  const place = spotted ?? { x: width / 2, y: height / 2 };
  if (ARROWS[key]) {
    event.preventDefault();
    const reach = event.shiftKey ? 1 : Math.max(1, Math.round(radius() / 2));
    const next = {
      x: Math.min(width, Math.max(0, place.x + ARROWS[key][0] * reach)),
      y: Math.min(height, Math.max(0, place.y + ARROWS[key][1] * reach)),
    };
    if (keyStroke) stroke(place, next);
    showBrush(next);
    part.brush.scrollIntoView({ block: "nearest", inline: "nearest" });
  } else if (key === " ") {
    event.preventDefault();
    if (tool === "pick") {
      const number = labels[Math.min(height - 1, Math.floor(place.y)) * width + Math.min(width - 1, Math.floor(place.x))];
      if (number) choose(number);
      return say(number ? `Brushing ${titled(objectOf(number))}.` : "There is no object here.");
    }
    keyStroke = !keyStroke && startStroke();
    showBrush(place);
    if (keyStroke) stroke(place, place);
    say(keyStroke ? `Brush down, the arrows ${tool}.` : "Brush up.");
  } else if (key === "Escape") {
    keyStroke = false;
    say("Brush up.");
  } else if (/^[1-9]$/.test(key)) {
    const object = objects[Number(key) - 1];
    if (object) { choose(object.number); say(`Brushing ${titled(object)}.`); }
  } else if (keys[key]) {
    event.preventDefault();
    keys[key]();
  }
});
part.frame.addEventListener("blur", () => { keyStroke = false; });

// ---- Tools.

const setTool = (name) => {
  tool = name;
  keyStroke = false;
  for (const button of root.querySelectorAll("button[data-tool]")) button.ariaPressed = String(button.dataset.tool === name);
  part.stage.dataset.tool = name;
  part.brush.hidden = true;
};
for (const button of root.querySelectorAll("button[data-tool]")) button.addEventListener("click", () => setTool(button.dataset.tool));
part.add.addEventListener("click", () => opened && add());
part.undo.addEventListener("click", () => step(past, future, "undo"));
part.redo.addEventListener("click", () => step(future, past, "redo"));
part.shown.addEventListener("change", () => { part.masks.style.opacity = part.shown.checked ? 1 : 0; });
part.zoom.addEventListener("input", () => {
  // What was in the middle stays there.
  const frame = part.frame, across = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
  const down = (frame.scrollTop + frame.clientHeight / 2) / frame.scrollHeight;
  part.stage.style.setProperty("--zoom", part.zoom.value / 100);
  frame.scrollLeft = across * frame.scrollWidth - frame.clientWidth / 2;
  frame.scrollTop = down * frame.scrollHeight - frame.clientHeight / 2;
});
part.size.addEventListener("input", () => { if (spotted) showBrush(spotted); });
window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });

// ---- What the page asks for.

root.open = (text) => {
  const document_ = JSON.parse(text);
  if (opened?.token === document_.token) return;
  opened = document_;
  ({ width, height, objects } = opened);
  labels = new Uint8Array(width * height);
  for (let index = 0, at = 0; index < opened.runs.length; index += 2) {
    labels.fill(opened.runs[index], at, (at += opened.runs[index + 1]));
  }
  chosen = objects[0]?.number ?? 0;
  used = Math.max(0, ...objects.map((object) => object.number));
  past = [];
  future = [];
  unsaved = false;
  Object.assign(part.masks, { width, height });
  part.photo.src = opened.photo;
  part.stage.style.setProperty("--ratio", width / height);
  part.size.max = Math.round(Math.max(width, height) / 8);
  part.size.value = Math.max(3, Math.round(Math.max(width, height) / 60));
  part.zoom.value = 100;
  part.stage.style.setProperty("--zoom", 1);
  part.frame.ariaLabel = `${opened.name}, to be brushed on`;
  root.hidden = false;
  spotted = null;
  setTool("draw");
  listObjects();
  render();
  say(objects.length ? "" : "Nothing was found here: brush over what is missing.");
};

root.collect = () => {
  if (!opened) return "";
  const runs = [];
  for (let at = 0, start = 0; at <= labels.length; at++) {
    if (at < labels.length && labels[at] === labels[start]) continue;
    runs.push(labels[start], at - start);
    start = at;
  }
  collected = stroking || keyStroke ? NaN : edits;  // a stroke is one edit, however far it goes on
  const kept = objects.map((object) => ({ number: object.number, class: object.class }));
  return JSON.stringify({ token: opened.token, runs, objects: kept });
};

root.saved = () => {
  // The answer took its time, and nothing kept anybody from brushing meanwhile.
  if (edits === collected) unsaved = false;
  else say("What you changed while it was being saved is not saved yet.");
};
Object.defineProperty(root, "dirty", { get: () => unsaved });
