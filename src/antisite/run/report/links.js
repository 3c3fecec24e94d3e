// Switches layers, links every mark with its row and its picture, sorts the table, copies the methods.
// It stands below view.js in the same script.

// --- layers and detectors

const show = (layers, shown) => {
  for (const layer of layers) layer.style.display = shown(layer) ? "" : "none";
};
for (const box of all("[data-toggle]"))
  box.addEventListener("change", () => show(all(`[data-layer="${box.dataset.toggle}"]`), () => box.checked));
for (const radio of all('[name="channel"]'))
  radio.addEventListener("change", () =>
    show(all("[data-channel]"), (layer) => layer.dataset.channel === radio.value));

// --- one defect, in image, table and gallery

function choose(id, { near = false } = {}) {
  const mark = document.getElementById(`m${id}`);
  const row = document.getElementById(`r${id}`);
  const box = document.querySelector(`[data-toggle="${mark.parentNode.dataset.layer}"]`);
  if (!box.checked) box.click();
  all(".chosen").forEach((old) => old.classList.remove("chosen"));
  for (const one of [mark, row, ...all(`figure a[href="#m${id}"]`)]) one?.classList.add("chosen");
  document.querySelector(".told").textContent = mark.querySelector("title")?.textContent ?? `#${id}`;
  if (row) {
    const list = row.closest(".scroll");
    list.scrollTop = row.offsetTop - list.clientHeight / 2;
  }
  if (!near) return;
  const place = mark.getBBox();
  const tall = (place.height * fullWidth) / fullHeight;
  const width = Math.max(Number(svg.dataset.near), 1.5 * place.width, 1.5 * tall);
  const height = (width * fullHeight) / fullWidth;
  look(place.x + place.width / 2 - width / 2, place.y + place.height / 2 - height / 2, width);
  svg.parentNode.scrollIntoView({ block: "nearest" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#m"], a[href^="#r"]');
  const row = event.target.closest("tr[id]");
  if (!row && !/^#[mr]\d+$/.test(link?.getAttribute("href"))) return;
  event.preventDefault();
  const id = (row?.id ?? link.getAttribute("href").slice(1)).slice(1);
  if (!link?.matches(".mark")) choose(id, { near: true });
  else if (moved <= 4) choose(id);
});

// --- sorting and copying

const worth = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.worth ?? cell.textContent.replace("−", "-");
  if (text === "–") return Infinity;
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
};
const compare = (a, b) => (a < b ? -1 : Number(a > b));
for (const head of all(".sortable th")) {
  head.tabIndex = 0;
  const sort = () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const sorted = [...body.rows].sort((a, b) => compare(worth(a, column), worth(b, column)));
    all("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...(up ? sorted : sorted.reverse()));
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
}
for (const button of all("[data-copy]"))
  button.addEventListener("click", () => {
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
    button.textContent = document.execCommand("copy") ? "copied" : "press Ctrl+C to copy";
  });
