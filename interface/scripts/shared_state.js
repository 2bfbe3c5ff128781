// The link to the page carries model, confidence and look: read when the page comes, written when one of them changes.

const NAMES = ["model", "confidence", "look"];
const stage = element.closest("#images");

new MutationObserver(() => {
  const state = stage.querySelector(".result")?.dataset.state;
  if (state === undefined) return; // no result: the link stays as it is
  const address = new URL(location.href);
  for (const name of NAMES) address.searchParams.delete(name);
  for (const [name, value] of new URLSearchParams(state)) address.searchParams.set(name, value);
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}).observe(stage, { childList: true, subtree: true, attributeFilter: ["data-state"] });

const asked = new URLSearchParams(location.search);
const sent = Object.fromEntries(NAMES.filter((name) => asked.has(name)).map((name) => [name, asked.get(name)]));
if (Object.keys(sent).length) setTimeout(() => trigger("apply", sent), 0);
