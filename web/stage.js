// The two pictures side by side.

import { drawInstances, drawSemanticMap, layersOf, lineWidth, spotlight } from "./drawing.js";
import { instances, pasteMasks } from "./instances.js";

export class Stage {
  /**
   * @param {object} site
   * @param {(row: number | null) => void} onPoint which instance the pointer is on
   */
  constructor(site, onPoint) {
    this.site = site;
    this.canvases = ["instances", "semantic"].map((id) => document.getElementById(id));
    this.shown = null; // layers of what is drawn
    this.row = null;
    for (const canvas of this.canvases) {
      canvas.addEventListener("pointermove", (event) => onPoint(this.rowAt(event)));
      canvas.addEventListener("pointerleave", () => onPoint(null));
    }
  }

  /**
   * @param {ImageBitmap} view what the detections are drawn on
   * @param {import("./instances.js").Detections} found
   */
  show(view, found) {
    this.view = view;
    this.found = found;
    const size = [view.height, view.width];
    this.pasted = pasteMasks(found, size);
    this.shown = null;
    for (const canvas of this.canvases) {
      if (canvas.width !== view.width || canvas.height !== view.height) {
        [canvas.height, canvas.width] = size;
        canvas.parentElement.style.setProperty("--ratio", view.width / view.height);
      }
    }
  }

  /** @param {{confidence: number, opacity: number, outlines: boolean, boxes: boolean, labels: boolean}} settings */
  draw(settings) {
    this.settings = settings;
    const { view, found, site, pasted } = this;
    const count = found.scores.filter((score) => score >= settings.confidence).length;
    if (this.shown?.length !== count) {
      const shown = instances(found, settings.confidence, [view.height, view.width], pasted);
      this.shown = layersOf(shown, site, lineWidth(view.width, view.height));
    }
    const [picture, map] = this.canvases.map((canvas) => canvas.getContext("2d"));
    drawInstances(picture, this.view, this.shown, this.site, settings);
    drawSemanticMap(map, this.shown, this.site);
    const chosen = this.shown.find(({ row }) => row === this.row);
    if (chosen) [picture, map].forEach((context) => spotlight(context, chosen));
  }

  /** @param {number | null} row of the instance to point out; null for all alike */
  point(row) {
    if (row === this.row || !this.shown) return;
    this.row = row;
    this.draw(this.settings);
  }

  rowAt(event) {
    const canvas = event.currentTarget;
    const frame = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - frame.left) / frame.width) * canvas.width);
    const y = Math.floor(((event.clientY - frame.top) / frame.height) * canvas.height);
    const hit = this.shown?.find(({ window: { top, left, height, width, mask } }) => {
      const [row, column] = [y - top, x - left];
      return row >= 0 && row < height && column >= 0 && column < width && mask[row * width + column];
    });
    return hit ? hit.row : null;
  }
}
