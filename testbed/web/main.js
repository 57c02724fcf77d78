// Puts the page together: the pictures, the tools above them, keys, and the address.
"use strict";

const LAYERS = { requests: "requests", fills: "fills, from ledgers", messages: "messages", empty: "empty messages" };

const pictures = [new Picture("diagram", lanes.total, drawDiagram), new Picture("latency", 96, drawLatency), new Picture("throughput", 84, drawThroughput)];

function drawTools() {
  const filter = document.getElementById("filter");
  document.getElementById("names").append(...run.orders.slice(0, 2000).map((order) => element("option", { value: order.name })));
  filter.addEventListener("change", () => {
    const order = filter.value.trim() ? orderNamed(filter.value.trim()) : null;
    view.follow(order);
    if (order !== null) fitOrder();
  });
  for (const [layer, title] of Object.entries(LAYERS)) {
    if (!run.messages.length && (layer === "messages" || layer === "empty")) continue;
    const box = element("input", { type: "checkbox", checked: view.layers[layer], onchange: (event) => { view.layers[layer] = event.target.checked; view.changed(); } });
    document.getElementById("layers").append(element("label", {}, box, title));
  }
  document.getElementById("in").addEventListener("click", () => view.zoom(0.5));
  document.getElementById("out").addEventListener("click", () => view.zoom(2));
  document.getElementById("whole").addEventListener("click", () => view.whole());
  view.listeners.push(() => {
    document.getElementById("window").textContent = `${clock(Math.max(view.from, run.begin))} – ${clock(Math.min(view.to, run.end))}`;
    if (document.activeElement !== filter) filter.value = view.order === null ? "" : run.orders[view.order].name;
  });
}

function drawLegend() {
  const sources = run.messages.length
    ? "Messages are as the simulation saw them: ✕ is where one was lost or cut off. Ledger entries stand where they were written."
    : "What passed between peers is told from their ledgers alone: entries and arrows stand at their owners' clocks.";
  document.getElementById("legend").append(
    element("span", { class: "key buy" }, "● buy"), element("span", { class: "key sell" }, "● sell"), element("span", { class: "key ask" }, "▷ fill opened"),
    element("span", { class: "key fill" }, "◆ granted, ◇ refused, ■ traded within a peer"), element("span", { class: "key told" }, "◀ closed"), element("span", { class: "key" }, "✕ cancelled"), element("span", { class: "key" }, "⋯ an order, and who first took of it"),
    ` Bars are requests, from sending to answer. ${sources} Drag to move, click a picture and use the wheel to zoom (or ctrl and wheel), shift-drag to choose a window; hover to read, click to keep it open.`);
}

function hover(picture) {
  const tip = document.getElementById("tip");
  picture.canvas.addEventListener("pointermove", (event) => {
    const thing = event.buttons ? null : under(picture, event.offsetX, event.offsetY);
    picture.canvas.style.cursor = thing ? "pointer" : "";
    tip.hidden = thing === null;
    if (!thing) return;
    if (tip.thing !== thing) {
      tip.thing = thing;
      tip.replaceChildren(element("b", {}, `${clock(thing.start)} `), tell(thing), element("pre", {}, whole(thing)));
    }
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${event.clientY + 18 + tip.offsetHeight > innerHeight ? Math.max(4, event.clientY - tip.offsetHeight - 12) : event.clientY + 18}px`;
  });
  picture.canvas.addEventListener("pointerleave", () => (tip.hidden = true));
  picture.clicked = (x, y) => {
    const thing = under(picture, x, y);
    if (thing && thing.orders.length === 1 && view.order === null && thing.kind === "entry") view.follow(thing.orders[0]);
    view.pinned = thing;
    view.changed();
  };
}

function obeyAddress() {
  const name = decodeURIComponent(location.hash).replace("#order=", "");
  const order = name ? orderNamed(name) : null;
  view.order = order;
  if (order === null) view.whole();
  else fitOrder();
  view.changed();
}

function obeyKeys(event) {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = (view.to - view.from) / 8;
  const act = { "+": () => view.zoom(0.5), "=": () => view.zoom(0.5), "-": () => view.zoom(2), 0: () => view.whole(), ArrowLeft: () => view.pan(-step), ArrowRight: () => view.pan(step), Escape: () => view.follow(null) }[event.key];
  if (act) act();
}

readTheme();
drawHead();
drawChecks();
drawTools();
drawLegend();
drawBooks();
drawLists();
drawLogs();
hover(pictures[0]);
view.listeners.push(drawStory);
addEventListener("hashchange", obeyAddress);
addEventListener("keydown", obeyKeys);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); view.changed(); });
obeyAddress();
