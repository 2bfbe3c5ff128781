// Gradio makes a button of each example and gives it no name, so a screen reader would say only "button". It makes them
// after what this script belongs to.

const nameExamples = () => {
  const items = document.querySelectorAll("#source .gallery-item");
  if (items.length < exampleTitles.length) return setTimeout(nameExamples, 100);
  items.forEach((item, index) => {
    item.ariaLabel = `Example: ${exampleTitles[index]}`;
    item.title = exampleTitles[index];
  });
};
nameExamples();
