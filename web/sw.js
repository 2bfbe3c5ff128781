// The service worker: after the first visit the page comes from the browser's own store, with or without a network.

const SCOPE = self.registration.scope; // other pages of the same host keep their own caches
const CACHE = SCOPE + "#$version"; // changes with any file of the site
const FILES = $files; // all but the network, which the page itself puts there so that it is fetched once

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      const old = names.filter((name) => name.startsWith(SCOPE + "#") && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    }),
  );
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  event.respondWith(
    caches
      .open(CACHE)
      .then((cache) => cache.match(event.request, { ignoreSearch: true }))
      .then((response) => response ?? fetch(event.request)),
  );
});
