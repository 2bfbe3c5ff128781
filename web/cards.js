// One card an object: its cut-out in small, and the buttons that copy and save it.

import { css, cutOut, percent } from "./drawing.js";

/**
 * @param {HTMLUListElement} list
 * @param {object} options
 * @param {ImageBitmap} options.view what the objects are cut out of
 * @param {import("./instances.js").Instance[]} options.shown
 * @param {(row: number | null) => void} options.point
 * @param {(kind: "cutout", row: number) => Promise<void>} options.save
 * @param {(row: number) => Promise<void>} options.copy
 */
export function showCards(list, { site, view, shown, point, save, copy }) {
  const known = new Map(Array.from(list.children, (card) => [card.instance, card]));
  const cards = shown.map((instance) => known.get(instance) ?? makeCard(instance, { site, view, point, save, copy }));
  list.replaceChildren(...cards);
}

function makeCard(instance, { site, view, point, save, copy }) {
  const name = `${site.classes[instance.classId - 1].name} ${instance.row + 1}`;
  const card = Object.assign(document.createElement("li"), { instance });
  card.dataset.row = instance.row;
  card.style.setProperty("--colour", css(instance.colour));
  const canvas = document.createElement("canvas");
  const image = cutOut(view, [instance]);
  Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Cut-out of ${name}`);
  const picture = document.createElement("div");
  picture.className = "clear";
  picture.append(canvas);
  const title = document.createElement("p");
  title.append(Object.assign(document.createElement("b"), { textContent: name }), ` ${percent(instance.score)}`);
  const buttons = document.createElement("div");
  buttons.append(
    makeButton("Copy", "Copied", `Copy ${name}`, () => copy(instance.row)),
    makeButton("Save", "Saved", `Save ${name} as PNG`, () => save("cutout", instance.row)),
  );
  card.append(picture, title, buttons);
  card.addEventListener("pointerenter", () => point(instance.row));
  card.addEventListener("pointerleave", () => point(null));
  card.addEventListener("focusin", () => point(instance.row));
  card.addEventListener("focusout", () => point(null));
  return card;
}

function makeButton(text, done, label, action) {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  button.setAttribute("aria-label", label);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await action();
      button.textContent = done;
    } catch (error) {
      button.textContent = error.name === "NotAllowedError" ? "Not allowed" : "Failed";
      button.title = error.message;
    }
    button.disabled = false;
    setTimeout(() => (button.textContent = text), 1500);
  });
  return button;
}
