// The live picture of the till's camera: asked for only while it is open, because each look costs the till something.

export function start() {
  const frame = document.getElementById("camera");
  if (!frame) return;
  const picture = frame.querySelector("img");
  frame.addEventListener("toggle", () => {
    if (frame.open) picture.src = `/v1/camera.mjpeg?${Date.now()}`;
    else picture.removeAttribute("src");
  });
  picture.addEventListener("error", () => { if (picture.hasAttribute("src")) frame.open = false; });
}
