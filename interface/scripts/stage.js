// The stage: which of the pictures are seen, the photo that slides over the result, and copying a picture. What the
// visitor chose stays when a redraw replaces the pictures.

const stage = element.closest("#images");
const page = element.closest("#photo-row");
let wipe = 50; // percent of the photo that is seen in the view "Compare"

const view = () => page.querySelector("#view input:checked")?.value ?? "both";

// On the stage itself, for Gradio takes away what its own pictures did not have.
function dress() {
  stage.dataset.view = view();
  stage.style.setProperty("--wipe", `${wipe}%`);
  const photo = page.querySelector("#photo .image-frame img");
  stage.style.setProperty("--photo", view() === "compare" && photo ? `url("${photo.src}")` : "none");
  const slider = stage.querySelector(".wipe input");
  if (slider) slider.value = wipe;
  const look = stage.querySelector(".result")?.dataset.look ?? "";
  for (const button of page.querySelectorAll("#looks button"))
    button.setAttribute("aria-pressed", button.id === `look-${look.toLowerCase().replaceAll(" ", "-")}`);
}

// Most of the page is built after what this script belongs to, so it watches and listens further out.
new MutationObserver(dress).observe(page, {
  childList: true,
  subtree: true,
  attributeFilter: ["data-look"],
});
page.addEventListener("change", (event) => event.target.closest("#view") && dress());
page.addEventListener("load", (event) => event.target.closest("#photo") && dress(), true);
setTimeout(dress);

// Comparing: the slider for the keyboard, the picture itself for everything that points.

function wipeTo(percent) {
  wipe = Math.min(100, Math.max(0, Math.round(percent)));
  dress();
}

stage.addEventListener("input", (event) => {
  if (event.target.closest(".wipe")) wipeTo(event.target.valueAsNumber);
});
const follow = (event) => {
  const picture = event.target.closest(".instances .image");
  if (view() !== "compare" || !picture || event.target.closest("button")) return;
  if (event.pointerType !== "mouse" && event.type === "pointermove" && !event.buttons) return;
  const { left, width } = picture.getBoundingClientRect();
  wipeTo((100 * (event.clientX - left)) / width);
};
stage.addEventListener("pointerdown", follow);
stage.addEventListener("pointermove", follow);

// Copying a picture as PNG, the only format that every clipboard takes.

async function copyPicture(picture) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  const blob = new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
}

// The line below the pictures says it, for a while.
function say(words) {
  const line = stage.querySelector(".pointed");
  const before = line.dataset.hint;
  line.dataset.hint = line.textContent = words;
  setTimeout(() => {
    if (line.dataset.hint !== words) return;
    line.dataset.hint = before;
    if (line.textContent === words) line.textContent = before;
  }, 3000);
}

stage.addEventListener("click", async (event) => {
  const button = event.target.closest('[data-do="copy"]');
  if (!button) return;
  try {
    await copyPicture(button.closest(".image").querySelector("img"));
    say("Copied. Paste it wherever you like.");
  } catch {
    say("The browser does not allow copying here; Download gives the same picture.");
  }
});
