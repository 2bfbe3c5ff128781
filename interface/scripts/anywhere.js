// A file that is dropped or pasted anywhere goes where the tab in sight takes files, or to the photo if it takes none.

const target = document.createElement("div");
target.id = "drop-here";
target.textContent = "Drop it anywhere";
element.closest("#results").append(target);

const panelInSight = () => [...document.querySelectorAll("[role=tabpanel]")].find((panel) => panel.offsetParent);
const photoInput = () => document.querySelector("#headline input[type=file]");
const openTab = (name) =>
  [...document.querySelectorAll("[role=tab]")].find((tab) => tab.textContent.trim() === name)?.click();

// The photo tab's own button takes one file; several go where many do. A tab is built when it is opened.
async function inputFor(files) {
  const panel = panelInSight();
  const inPhotoTab = panel?.contains(element);
  const own = inPhotoTab ? photoInput() : panel?.querySelector("input[type=file]");
  if (own && (files.length === 1 || own.multiple)) return own;
  if (files.length === 1 || !inPhotoTab) {
    openTab("Photo");
    return photoInput();
  }
  openTab("Many photos");
  for (let waited = 0; waited < 50; waited++) {
    const input = panelInSight()?.querySelector("input[type=file][multiple]");
    if (input) return input;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return photoInput();
}

async function give(files) {
  const input = await inputFor(files);
  const chosen = new DataTransfer();
  for (const file of input.multiple ? files : files.slice(0, 1)) chosen.items.add(file);
  input.files = chosen.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// What is dragged from this page, such as a sticker, is no photo to look at.
let ownDrag = false;
document.addEventListener("dragstart", () => (ownDrag = true));
document.addEventListener("dragend", () => (ownDrag = false));
const brings = (event) => !ownDrag && event.dataTransfer?.types.includes("Files");
// Places that take files by themselves keep doing so.
const takesItself = (event) => event.target.closest?.("[aria-dropeffect]:not(.disable_click)");

let leaving = null;
document.addEventListener("dragover", (event) => {
  if (!brings(event)) return;
  event.preventDefault();
  target.classList.add("over");
  clearTimeout(leaving);
  leaving = setTimeout(() => target.classList.remove("over"), 300); // dragover comes several times a second
});
document.addEventListener(
  "drop",
  (event) => {
    target.classList.remove("over");
    if (!brings(event)) return;
    event.preventDefault();
    if (takesItself(event)) return;
    event.stopPropagation();
    give([...event.dataTransfer.files]);
  },
  true,
);
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || event.defaultPrevented) return;
  if (event.target.closest?.("input[type=text], textarea, [contenteditable]")) return; // it may want the text beside it
  event.preventDefault();
  give(files);
});
