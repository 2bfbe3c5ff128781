"""What the page's cameras do in the browser, which Gradio leaves open: they say what keeps them dark, and go out."""

# Gradio says nothing when the camera is refused, and leaves one on when its tab is left or another source is chosen. So
# each stream that was handed out is stopped once no part of the page that can be seen shows it. A slow camera may come
# on only after its tab was left; a new one has `GRACE` milliseconds to be shown.
CAMERA_SCRIPT = """<script>
{
  // Browsers have no cameras at all for a page that is not secure; asking for one then says so.
  const insecure = async () => { throw new Error("A browser gives a camera only to pages behind https."); };
  const none = { getUserMedia: insecure, enumerateDevices: async () => [] };
  if (!navigator.mediaDevices) Object.defineProperty(navigator, "mediaDevices", { value: none });
  const cameras = navigator.mediaDevices;
  // An example may take the place of a camera: see the Live tab.
  const camera = cameras.getUserMedia.bind(cameras);
  const ask = (wishes) => window.cameraStandIn?.() ?? camera(wishes);
  const reasons = {
    NotAllowedError: "The camera is not allowed here: allow it in the browser's settings for this page.",
    NotFoundError: "No camera was found.",
    NotReadableError: "The camera cannot be read: another program may be using it.",
  };
  // The page may still be answering what the visitor did before, such as leaving the photo for the camera. That answer
  // does not take the place of the reason; what the visitor does next may.
  function say(words) {
    const places = [...document.querySelectorAll("#status, #live-status, #clip-status")];
    const place = places.find((part) => part.offsetParent);
    if (!place) return;
    const write = () => {
      const line = place.querySelector("p");
      if (line && line.textContent !== words) line.textContent = words;
    };
    const late = new MutationObserver(write);
    late.observe(place, { childList: true, subtree: true, characterData: true });
    for (const deed of ["pointerdown", "keydown", "paste", "drop"])
      document.addEventListener(deed, () => late.disconnect(), { capture: true, once: true });
    write();
  }
  const GRACE = 2000, handedOut = new Map();
  cameras.getUserMedia = (wishes) => ask(wishes).then(
    (stream) => { handedOut.set(stream, Date.now()); return stream; },
    (error) => {
      say(`Sorry. ${reasons[error.name] ?? error.message}`);
      throw error;
    },
  );
  const seen = (video) => video.offsetParent !== null;
  setInterval(() => {
    const videos = [...document.querySelectorAll("video")];
    for (const [stream, since] of handedOut) {
      const showing = videos.filter((video) => video.srcObject === stream);
      if (showing.some(seen) || (!showing.length && Date.now() - since < GRACE)) continue;
      for (const track of stream.getTracks()) track.stop();
      handedOut.delete(stream);
      for (const video of showing) video.darkSince = Date.now();
    }
    // Back in sight, outside of Live, the camera that was on goes on again.
    for (const video of videos.filter((video) => video.darkSince && seen(video))) {
      video.darkSince = null;
      if (video.closest("#live-camera")) continue;
      cameras.getUserMedia({ video: true }).then((stream) => { video.srcObject = stream; video.play(); }, () => {});
    }
  }, 300);
}
</script>"""
