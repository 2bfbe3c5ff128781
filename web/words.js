// Results in words; as `mrcnn/results/wording.py`.

import { percent } from "./drawing.js";

/** "2 cats", "1 dog and 3 cats", or "nothing". */
export function counted(shown, classes) {
  const numbers = new Map();
  for (const { classId } of shown) numbers.set(classId, (numbers.get(classId) ?? 0) + 1);
  const parts = [...numbers].map(([classId, number]) => {
    const { name, plural } = classes[classId - 1];
    return `${number} ${number === 1 ? name : plural}`;
  });
  if (!parts.length) return "nothing";
  return [parts.slice(0, -1).join(", "), parts.at(-1)].filter(Boolean).join(" and ");
}

/** What was found, how surely and how fast; as `interface/result_view.py`. */
export function sentence(found, shown, milliseconds, site, confidence) {
  const took = milliseconds === undefined ? "" : ` in ${Math.round(milliseconds)} ms`;
  if (shown.length) {
    const [low, high] = [shown.at(-1), shown[0]].map(({ score }) => percent(score));
    return `Found ${counted(shown, site.classes)}${took}, ${low === high ? high : `${low.replace(" %", "")} to ${high}`} sure.`;
  }
  const [surest] = found.scores;
  const names = site.classes.length > 3 ? "object" : site.classes.map(({ name }) => name).join(" or ");
  if (surest >= site.confidence) {
    return `No ${names} above ${percent(confidence)}${took}; the surest is at ${percent(surest)}.`;
  }
  return milliseconds === undefined ? `No ${names} here.` : `No ${names} here, decided${took}.`;
}
