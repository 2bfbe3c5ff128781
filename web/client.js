// The page's side of the worker: each task is a promise.

export class Client {
  /** @param {(progress: {loaded: number, total: number}) => void} onProgress bytes of the network that are here */
  constructor(onProgress) {
    this.waiting = new Map();
    this.count = 0;
    // A worker from a file would have no Content-Security-Policy; from a blob it has the page's, which names one host.
    const start = `import ${JSON.stringify(new URL("./worker.js", import.meta.url).href)};`;
    const url = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
    this.worker = new Worker(url, { type: "module" });
    this.worker.onmessage = ({ data }) => {
      if (data.progress) return onProgress(data.progress);
      const { resolve, reject } = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.error === undefined) resolve(data.result);
      else reject(new Error(data.error));
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) {
        reject(new Error(`The worker has stopped: ${event.message ?? "it could not be loaded"}. Reload the page.`));
      }
      this.waiting.clear();
    };
  }

  /**
   * @param {"load" | "detect" | "picture" | "coco"} task see `worker.js`
   * @param {object} values
   * @param {Transferable[]} [transfer]
   */
  ask(task, values, transfer = []) {
    this.count += 1;
    const id = this.count;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, task, ...values }, transfer);
    });
  }
}
