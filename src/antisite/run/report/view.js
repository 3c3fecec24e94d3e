// Moves the view over the image: wheel, fingers, mouse, keys and buttons. Without its scripts the report
// says the same, only still.
"use strict";
const svg = document.querySelector(".stage svg");
const [fullX, fullY, fullWidth, fullHeight] = svg.getAttribute("viewBox").split(" ").map(Number);
const view = { x: fullX, y: fullY, width: fullWidth, height: fullHeight };
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const all = (selector) => document.querySelectorAll(selector);
document.documentElement.classList.add("scripted");

// --- the view: a box in px of the image, never beyond its edges

function look(x, y, width) {
  view.width = clamp(width, Math.min(24, fullWidth), fullWidth);
  view.height = (view.width * fullHeight) / fullWidth;
  view.x = clamp(x, fullX, fullX + fullWidth - view.width);
  view.y = clamp(y, fullY, fullY + fullHeight - view.height);
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  const share = view.width / fullWidth;
  svg.classList.toggle("zoomed", share < 1);
  svg.classList.toggle("near", svg.clientWidth > 6 * view.width);
  drawScale(share);
  clearTimeout(resting);
  resting = setTimeout(fitMarks, 120, share);
}

// large enough to be seen in the whole image, as small as the column wants it in a close view; done when
// the view rests, for a change of shape draws thousands of marks anew
let [resting, size] = [0, 1];
function fitMarks(share) {
  const wanted = Math.max(share, Number(svg.dataset.smallest));
  if (wanted === size) return;
  size = wanted;
  for (const shape of svg.querySelectorAll(".shape")) shape.setAttribute("transform", `scale(${size})`);
}

// a point given in shares of the view stays where it is
function zoom(factor, [right, down] = [0.5, 0.5]) {
  const width = clamp(view.width / factor, Math.min(24, fullWidth), fullWidth);
  const shrunk = 1 - width / view.width;
  look(view.x + right * view.width * shrunk, view.y + down * view.height * shrunk, width);
}

const pan = (right, down) => look(view.x - right * view.width, view.y - down * view.height, view.width);
const reset = () => look(fullX, fullY, fullWidth);

// --- the scale bar: 1, 2 or 5 times a power of ten, as long as a quarter of the view allows

const scale = svg.querySelector(".scale");
const [bar, words] = [scale.querySelector("rect"), scale.querySelector("text")];
const letters = Number(words.getAttribute("font-size"));
const extent = (length, text) => Math.max(length, 0.62 * letters * text.length);
const middle = Number(words.getAttribute("x"));
const half = extent(Number(bar.getAttribute("width")), words.textContent) / 2;

function drawScale(share) {
  const unit = Number(scale.dataset.unit) / share;
  const longest = (0.26 * fullWidth) / unit;
  const power = 10 ** Math.floor(Math.log10(longest));
  const told = [5, 2, 1].find((step) => step * power <= longest * (1 + 1e-9)) * power;
  words.textContent = `${Number(told.toPrecision(1))} ${scale.dataset.name}`;
  const wide = extent(told * unit, words.textContent) / 2;
  const x = middle > fullX + fullWidth / 2 ? middle + half - wide : middle - half + wide;
  words.setAttribute("x", x);
  bar.setAttribute("x", x - (told * unit) / 2);
  bar.setAttribute("width", told * unit);
  const [right, down] = [view.x - fullX * share, view.y - fullY * share];
  scale.setAttribute("transform", `translate(${right} ${down}) scale(${share})`);
}

// --- wheel, fingers, mouse, keys and buttons

const held = new Map();
let moved = 0;
const at = (event) => {
  const box = svg.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
};
const fingers = () => {
  const [one, two = one] = held.values();
  const apart = Math.hypot(one[0] - two[0], one[1] - two[1]);
  return { middle: [(one[0] + two[0]) / 2, (one[1] + two[1]) / 2], apart };
};

svg.addEventListener("wheel", (event) => {
  if (event.deltaY > 0 && view.width >= fullWidth) return; // the page scrolls on
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), at(event));
}, { passive: false });
svg.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  held.set(event.pointerId, at(event));
  if (held.size === 1) moved = 0;
});
addEventListener("pointermove", (event) => {
  if (!event.buttons) held.delete(event.pointerId); // let go outside the window
  if (!held.has(event.pointerId)) return;
  const before = fingers();
  held.set(event.pointerId, at(event));
  const after = fingers();
  const [right, down] = [0, 1].map((axis) => after.middle[axis] - before.middle[axis]);
  moved += Math.hypot(right, down) * svg.clientWidth;
  pan(right, down);
  if (before.apart) zoom(after.apart / before.apart, after.middle);
});
for (const end of ["pointerup", "pointercancel"])
  addEventListener(end, (event) => held.delete(event.pointerId));
svg.addEventListener("dragstart", (event) => event.preventDefault());
svg.addEventListener("keydown", (event) => {
  const keys = {
    "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(0.625), 0: reset,
    ArrowLeft: () => pan(0.15, 0), ArrowRight: () => pan(-0.15, 0),
    ArrowUp: () => pan(0, 0.15), ArrowDown: () => pan(0, -0.15),
  };
  if (!(event.key in keys) || event.ctrlKey || event.metaKey) return;
  if (event.key.startsWith("Arrow") && view.width >= fullWidth) return;
  event.preventDefault();
  keys[event.key]();
});
for (const button of all("[data-zoom]")) {
  const factor = Number(button.dataset.zoom);
  button.addEventListener("click", () => (factor ? zoom(factor) : reset()));
}
