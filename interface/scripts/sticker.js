// An object that is pressed lifts as a sticker over its place in the picture: to drag out of the page, copy or save.

const holder = element.closest("#sticker");
const results = element.closest("#results");
const page = element.closest("#photo-row");
const stage = results.querySelector("#images");
let asked = null; // the picture and what was pressed, until the sticker comes
let picture = null; // under the sticker
let content = null; // what the picture showed
let opener = null; // what gets the keyboard back

const contentOf = (image) => image?.querySelector("img")?.src;
const figure = () => element.querySelector(".sticker");

function putBack() {
  const focused = holder.contains(document.activeElement);
  asked = picture = null;
  if (figure()) props.value = "";
  if (focused) opener?.focus();
}

function lift(row, where, from) {
  const again = figure()?.dataset.lifted === row;
  putBack();
  if (again) return;
  asked = where;
  content = contentOf(where);
  opener = from;
  for (const shape of stage.querySelectorAll(`path[data-row="${row}"]`)) shape.classList.add("lifting");
  trigger("select", { row: Number(row) });
}

function place() {
  const sticker = figure();
  if (!sticker || !picture) return;
  const [{ left, top, width, height }, ground] = [picture, results].map((part) => part.getBoundingClientRect());
  const share = (name, side) => (side * parseFloat(sticker.style.getPropertyValue(name))) / 100;
  const own = { left: left - ground.left + share("--left", width), width: share("--width", width) };
  sticker.style.left = `${own.left}px`;
  sticker.style.top = `${top - ground.top + share("--top", height)}px`;
  sticker.style.width = `${own.width}px`;
  // Below the sticker's middle, but not beyond the page's edge.
  const bar = sticker.querySelector("figcaption");
  const middle = own.left + (own.width - bar.offsetWidth) / 2;
  bar.style.left = `${Math.max(0, Math.min(middle, ground.width - bar.offsetWidth)) - own.left}px`;
}

watch("value", () => {
  for (const shape of stage.querySelectorAll(".lifting")) shape.classList.remove("lifting");
  if (!figure()) return;
  if (!asked || contentOf(asked) !== content) return putBack(); // it was cut from another picture
  picture = asked;
  place();
  if (opener?.matches("button:focus")) holder.querySelector("button").focus();
});

const visiblePicture = () =>
  [...stage.querySelectorAll(".image")].find((image) => image.offsetParent) ?? stage.querySelector(".image");
stage.addEventListener("click", (event) => {
  const shape = event.target.closest("path[data-row]");
  if (shape) lift(shape.dataset.row, shape.closest(".image"), null);
  else if (!event.target.closest("button, input")) putBack();
});
page.addEventListener("click", (event) => {
  const button = event.target.closest("[data-lift]");
  if (!button) return;
  stage.scrollIntoView({ block: "nearest" });
  lift(button.dataset.lift, visiblePicture(), button);
});
page.addEventListener("keydown", (event) => {
  if (event.key === "Escape") putBack();
});
new MutationObserver(() => picture && contentOf(picture) !== content && putBack()).observe(stage, {
  childList: true,
  subtree: true,
  attributeFilter: ["src"],
});
page.addEventListener("change", (event) => event.target.closest("#view") && putBack());
new ResizeObserver(place).observe(results);

const blobOf = async () => (await fetch(figure().querySelector("img").src)).blob();

holder.addEventListener("click", async (event) => {
  const action = event.target.closest("[data-do]")?.dataset.do;
  if (action === "close") putBack();
  if (action !== "copy") return;
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blobOf() })]);
    event.target.textContent = "Copied";
  } catch {
    event.target.textContent = "Not allowed here";
  }
});

// Browsers drag a picture as a picture; this makes a file of it on a desktop too.
holder.addEventListener("dragstart", (event) => {
  const { href, download } = holder.querySelector("a");
  event.dataTransfer.setData("DownloadURL", `image/png:${download}:${href}`);
  event.dataTransfer.effectAllowed = "copy";
});
