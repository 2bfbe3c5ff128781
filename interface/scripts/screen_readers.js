// What Gradio leaves unsaid to screen readers.

// It makes a button of each example and gives it no name, so they would say only "button". It does so after what this
// script belongs to.
const nameExamples = () => {
  const items = document.querySelectorAll("#source .gallery-item");
  if (items.length < exampleTitles.length) return setTimeout(nameExamples, 100);
  items.forEach((item, index) => {
    item.ariaLabel = `Example: ${exampleTitles[index]}`;
    item.title = exampleTitles[index];
  });
};
nameExamples();

// A line of status is read aloud when it changes; not that of Live, which does so several times a second. The role is
// on its words alone: the waiting time that Gradio shows beside them changes as often. A tab is built when opened.
const LINES = ":is(#status, #clip-status, #batch-status, #correct-status) [data-testid=markdown]:not([role])";
const announce = () => document.querySelectorAll(LINES).forEach((line) => line.setAttribute("role", "status"));
new MutationObserver(announce).observe(document.body, { childList: true, subtree: true });
announce();
