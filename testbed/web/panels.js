// Everything that is text: the verdict, the checks with their evidence, stories, books, orders, trades, logs.
"use strict";

const MAX_LISTED = 300;
const MAX_EVIDENCE = 5;
const NAMED = /(peer-\d+-\d+|#\d+\b)/;
const MARK_OF = { valid: "✓", violated: "✗", unknown: "?" };

/** A text in which every order, fill and request that is named can be clicked on. */
function linked(text) {
  const parts = String(text).split(NAMED).map((part) => {
    if (part.startsWith("#")) {
      const operation = run.operationByNumber.get(Number(part.slice(1)));
      return operation ? element("a", { href: "#time", class: "id", onclick: (event) => lead(event, operation) }, part) : part;
    }
    const order = NAMED.test(part) ? orderNamed(part) : null;
    return order === null ? part : element("a", { href: `#order=${run.orders[order].name}`, class: "id", title: "follow it", onclick: (event) => leadTo(event, order) }, part);
  });
  return element("span", {}, ...parts);
}

function lead(event, thing) {
  event.preventDefault();
  if (thing.orders.length === 1 && view.order !== thing.orders[0]) view.follow(thing.orders[0]);
  view.visit(thing);
  document.getElementById("time").scrollIntoView({ block: "start", behavior: "smooth" });
}

function leadTo(event, order) {
  event.preventDefault();
  view.follow(order);
  fitOrder();
  document.getElementById("time").scrollIntoView({ block: "start", behavior: "smooth" });
}

function drawHead() {
  const about = run.about;
  const kind = about.exit === 0 ? "valid" : about.exit === 2 || about.exit === 3 ? "unknown" : "violated";
  const facts = [`on ${about.on}`, many(run.peers, "peer"), many(run.orders, "order"), many(run.trades, "trade"), many(run.operations, "operation"), seconds(about.lasted_s)];
  if (about.seed !== null) facts.push(`seed ${about.seed}`);
  document.getElementById("head").append(
    element("h1", {}, about.name, " ", element("small", {}, about.title)),
    element("p", {}, element("strong", { class: `badge ${kind}` }, `${MARK_OF[kind]} ${about.ending}`), " ", facts.join(" · ")),
    element("p", { class: "again" }, "to repeat it: ", element("code", {}, about.command)),
    ...[about.why, ...about.crashed].filter(Boolean).map((line) => element("p", { class: "bad" }, linked(line))),
  );
}

function drawChecks() {
  const [holding, others] = [run.checks.filter((check) => check.kind === "valid"), run.checks.filter((check) => check.kind !== "valid")];
  others.sort((a, b) => (a.kind === "violated" ? 0 : 1) - (b.kind === "violated" ? 0 : 1));
  const list = (checks) => element("ul", { class: "checks" }, ...checks.map((check) => element("li", {}, mark(check), element("b", {}, check.name), " ", check.sentence)));
  document.getElementById("checks").append(
    others.length ? (signCard() ?? "") : "",
    ...others.map(checkCard),
    ...run.copies.map(copyCard),
    element("details", { open: others.length === 0 }, element("summary", {}, `${holding.length} checks hold`), list(holding)),
  );
}

/** Where to begin: the first entry that should not be, if one can be seen from the ledgers alone. */
function signCard() {
  const sign = firstSign();
  if (!sign) return null;
  return element("article", { class: "card violated" },
    element("h2", {}, "Begin here ", element("small", {}, `the first entry that should not be, at ${clock(sign.entry.start)}`)),
    element("p", {}, linked(tell(sign.entry)), ": ", element("strong", { class: "bad" }, linked(sign.alarm))),
    element("p", {}, element("button", { onclick: (event) => { leadTo(event, sign.order); view.pinned = sign.entry; } }, `the story of ${run.orders[sign.order].name}`)));
}

function mark(check) {
  return element("span", { class: `mark ${check.kind}` }, MARK_OF[check.kind]);
}

function checkCard(check) {
  const lines = check.evidence.length ? check.evidence : [check.sentence];
  const entries = run.entries.filter((entry) => entry.orders.some((order) => check.orders.includes(order)));
  const orders = check.orders.slice(0, 12).map((order) => linked(run.orders[order].name));
  return element("article", { class: `card ${check.kind}` },
    element("h2", {}, mark(check), check.name, " ", element("small", {}, check.kind)),
    listOf(lines.slice(0, MAX_EVIDENCE)),
    lines.length > MAX_EVIDENCE ? lazily(`and ${lines.length - MAX_EVIDENCE} more`, () => listOf(lines.slice(MAX_EVIDENCE, MAX_LISTED))) : null,
    orders.length ? element("p", { class: "follow" }, "follow ", ...orders.flatMap((link) => [link, " "])) : null,
    entries.length ? lazily(`the ${entries.length} ledger entries concerned`, () => entryTable(entries.slice(0, MAX_LISTED))) : null,
  );
}

function listOf(lines) {
  return element("ul", {}, ...lines.map((line) => element("li", {}, linked(line))));
}

/** A fold whose content is made when it is opened first. */
function lazily(title, make) {
  const fold = element("details", {}, element("summary", {}, title));
  fold.addEventListener("toggle", () => fold.open && fold.childElementCount === 1 && fold.append(make()));
  return fold;
}

function copyCard(copy) {
  return element("article", { class: "card violated" },
    element("h2", {}, `${copy.holder}'s copy of ${copy.owner}'s ledger `, element("small", {}, `parts from it at entry ${copy.sequence}`)),
    element("p", {}, "its copy: ", element("code", {}, copy.here || "ends before")),
    element("p", {}, "the ledger: ", element("code", {}, copy.there || "ends before")));
}

function entryTable(entries) {
  const rows = entries.map((entry) => element("tr", { onclick: (event) => lead(event, entry) },
    element("td", { class: "number" }, clock(entry.start)), element("td", {}, `${laneName(entry.lane)}-${entry.sequence}`), element("td", {}, element("code", {}, linked(entry.text ?? entry.type)))));
  return element("div", { class: "scroll" }, element("table", { class: "rows" }, ...rows));
}

/** The story of the order that is followed, or the whole of what is pinned. */
function drawStory() {
  const place = document.getElementById("story");
  const key = `${view.order} ${view.pinned ? `${view.pinned.kind} ${view.pinned.start} ${view.pinned.number ?? view.pinned.text ?? view.pinned.told}` : ""}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.hidden = view.order === null && view.pinned === null;
  place.replaceChildren(...(view.pinned ? pinned(view.pinned) : []), ...(view.order === null ? [] : story(view.order)));
}

function story(number) {
  const order = run.orders[number];
  const stands = order.side === null ? "" : `${order.side} ${order.original} ${order.item} at ${order.price}: ${order.filled} filled, ${order.open} open, ${order.reserved} reserved, ${order.cancelled} cancelled`;
  const rows = storyOf(number).map((row) => element("li", { class: `${row.thing.kind}${row.alarm ? " alarm" : ""}${row.thing === view.pinned ? " chosen" : ""}`, onclick: () => view.visit(row.thing) },
    element("time", {}, clock(row.time)), linked(row.text),
    row.stands ? element("span", { class: "stands" }, row.stands) : null,
    row.alarm ? element("strong", { class: "bad" }, row.alarm) : null));
  return [
    element("h2", {}, order.name, " ", element("button", { onclick: () => fitOrder() }, "fit"), element("button", { title: "show all (Esc)", onclick: () => view.follow(null) }, "×")),
    element("p", {}, stands),
    element("ol", {}, ...rows),
  ];
}

function pinned(thing) {
  return [
    element("h2", {}, thing.kind, " ", element("button", { title: "close", onclick: () => { view.pinned = null; view.changed(); } }, "×")),
    element("p", {}, linked(tell(thing))),
    element("pre", {}, whole(thing)),
    thing.orders.length && view.order === null ? element("p", {}, "concerns ", ...thing.orders.slice(0, 40).flatMap((order) => [linked(run.orders[order].name), " "])) : null,
  ].filter(Boolean);
}

/** The whole of a thing as text: what was asked and answered, written or sent. */
function whole(thing) {
  const pretty = (text) => (text === null ? "(left out of this page for its size; the files of the run have it)" : parsed(text) === null ? text : JSON.stringify(parsed(text), null, 1));
  if (thing.kind === "entry") return [pretty(thing.text), ...Object.entries(thing.reached).map(([lane, at]) => `at ${laneName(lane)} after ${seconds(at - thing.start)}`)].join("\n");
  if (thing.kind === "message") return pretty(thing.text);
  if (thing.kind === "arrow") return `${tell(thing.from)}\n${tell(thing.to)}`;
  if (thing.kind === "band") return `${clock(thing.start)} to ${clock(thing.end)}`;
  return `${pretty(thing.asked)}\n→ ${thing.outcome} ${pretty(thing.answer)}`;
}

function drawBooks() {
  for (const book of run.books) {
    const agreed = book.peers.length === 1;
    const head = element("tr", {}, element("th", {}, "side"), element("th", {}, "price"), element("th", {}, "order"), ...book.peers.map((names) => element("th", {}, names.length > 4 ? `${names.slice(0, 3).join(", ")} … (${names.length} peers)` : names.join(", "))));
    const rows = book.rows.map(([side, order, price, left]) => element("tr", { class: `${side}${new Set(left).size > 1 ? " differs" : ""}` },
      element("td", {}, side), element("td", { class: "number" }, price), element("td", {}, linked(order)), ...left.map((each) => element("td", { class: "number" }, each ?? "—"))));
    document.getElementById("books").append(element("article", { class: `card${agreed ? "" : " violated"}` },
      element("h2", {}, `Book of ${book.item} `, element("small", {}, agreed ? `the same on all ${book.peers[0].length} living peers` : "the peers do not show the same")),
      rows.length ? element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))) : element("p", {}, "empty"),
      book.left_off ? element("p", {}, `and ${book.left_off} more rows, in books.json`) : null));
  }
}

/** A table with a search, of which only the first rows are made. */
function listed(title, names, rows, fill) {
  const body = element("tbody");
  const count = element("small");
  const show = (wanted) => {
    const found = rows.filter((row) => !wanted || row.join(" ").includes(wanted));
    body.replaceChildren(...found.slice(0, MAX_LISTED).map(fill));
    count.textContent = found.length > MAX_LISTED ? `the first ${MAX_LISTED} of ${found.length}` : `${found.length}`;
  };
  show("");
  const search = element("input", { type: "search", placeholder: "find", "aria-label": `find in ${title}`, oninput: (event) => show(event.target.value.trim()) });
  return element("article", { class: "card" }, element("h2", {}, `${title} `, count, " ", search), element("div", { class: "scroll" },
    element("table", {}, element("thead", {}, element("tr", {}, ...names.map((name) => element("th", {}, name)))), body)));
}

function drawLists() {
  const cells = (row) => row.map((cell, at) => element("td", { class: at ? "number" : "" }, linked(cell ?? "?")));
  const orders = run.orders.map((order) => [order.name, order.side, order.item, order.price, order.original, order.filled, order.reserved, order.open, order.cancelled]);
  const trades = run.trades.map((trade) => [trade.id, trade.taker, trade.maker, trade.quantity, trade.price, trade.decided ? (trade.not_once.length ? `not once at ${trade.not_once.join(", ")}` : "all") : "in no ledger"]);
  document.getElementById("lists").append(
    listed("Trades", ["fill", "taker", "maker", "quantity", "price", "shown by"], trades, (row) => element("tr", { class: row[5] === "all" ? "" : "differs" }, ...cells(row))),
    listed("Orders", ["order", "side", "item", "price", "ordered", "filled", "reserved", "open", "cancelled"], orders, (row) => element("tr", { class: row[1] }, ...cells(row))));
}

function drawLogs() {
  for (const log of run.logs) {
    const panics = log.lines.filter(([, panic]) => panic).length;
    const title = element("span", {}, `${log.name} `, element("small", {}, `${log.lines.length + log.left_off} lines`), panics ? element("strong", { class: "bad" }, ` ${panics} of panic`) : null);
    document.getElementById("logs").append(lazily(title, () => element("pre", { class: "log" },
      log.left_off ? `… ${log.left_off} lines before, in logs/${log.name}.log\n` : "", ...log.lines.map(([line, panic]) => element(panic ? "mark" : "span", {}, `${line}\n`)))));
  }
}
