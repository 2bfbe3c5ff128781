// A pointed-at object is outlined in both images and its row lights up; a click (or Enter) keeps it so. The listeners
// sit on the row that holds images and table, which stays when a redraw replaces what is in it.

const scope = element.closest("#photo-row");
let kept = null;
let current = null;

const rowOf = (event) => event.target.closest("[data-row]")?.dataset.row ?? null;

function show(row) {
  current = row;
  for (const part of scope.querySelectorAll("[data-row]"))
    part.classList.toggle("active", part.dataset.row === row);
  const named = row && scope.querySelector(`tr[data-row="${row}"]`);
  const line = scope.querySelector(".pointed");
  const text = named ? named.dataset.says : (line?.dataset.hint ?? "");
  if (line && line.textContent !== text) line.textContent = text;
}

new MutationObserver(() => show(current)).observe(scope, { childList: true, subtree: true });
scope.addEventListener("pointerover", (event) => show(rowOf(event) ?? kept));
scope.addEventListener("pointerleave", () => show(kept));
scope.addEventListener("focusin", (event) => show(rowOf(event) ?? kept));
scope.addEventListener("focusout", () => show(kept));
scope.addEventListener("click", (event) => {
  if (!event.target.closest(".result") || event.target.closest("button, input")) return; // a switch or a slider
  const row = rowOf(event);
  kept = row === kept ? null : row;
  show(kept);
});
// Another photo has other objects.
const forget = (event) => {
  if (!event.target.closest("#photo")) return;
  kept = null;
  show(null);
};
scope.addEventListener("load", forget, true);
scope.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("[data-row]")) {
    kept = event.target.dataset.row;
    show(kept);
  }
  if (event.key === "Escape") {
    kept = null;
    show(null);
  }
});
