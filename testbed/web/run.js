// The run as objects: reads the page's JSON, and knows who concerns whom. Nothing here draws.
"use strict";

const LOTS = 8;
const CLIENTS_WAIT = new Set(["quiet", "until_trades", "expect_order", "expect_trades", "expect_book"]);
const REQUESTS = ["submit", "cancel", "show", "trades", "book"];

const run = (() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const lane = new Map(page.lanes.map((name, number) => [name, number]));

  const orders = page.orders.map(([name, peer, side, item, price, original, filled, reserved, open, cancelled], number) =>
    ({ number, name, peer, side, item, price, original, filled, reserved, open, cancelled }));

  const entries = page.entries.map(([at, sequence, start, type, about, text, reached], number) =>
    ({ kind: "entry", number, lane: at, sequence, start, end: start, type, orders: about, text, reached }));

  const arrows = page.arrows.map(([type, from, to]) => {
    const [tail, head] = [entries[from], entries[to]];
    return { kind: "arrow", type, from: tail, to: head, start: Math.min(tail.start, head.start), end: Math.max(tail.start, head.start), orders: head.orders };
  });

  const operations = page.operations.map(([number, process, what, at, start, ended, outcome, about, asked, answer]) => {
    const waits = CLIENTS_WAIT.has(what);
    const end = ended === null ? page.about.lasted_s : ended;
    return { kind: waits ? "wait" : process === "testbed" ? "fault" : "request", number, process, what, lane: waits ? null : at, start, end, ended, outcome, orders: about, asked, answer };
  });

  const messages = page.messages.map(([from, to, start, ended, fate, about, says, text]) =>
    ({ kind: "message", from, to, start, end: ended === null ? start : ended, fate, orders: about, says, text }));

  const bands = page.bands.map(([what, names, start, end, told]) =>
    ({ kind: "band", what, start, end: end === null ? page.about.lasted_s : end, healed: end !== null, told, lanes: names.map((name) => lane.get(name)).filter((at) => at !== undefined), orders: [] }));

  for (const things of [entries, arrows, operations, messages]) things.sort((a, b) => a.start - b.start);
  // What was written in one commit stands under each other.
  const last = [];
  for (const entry of entries) {
    const before = last[entry.lane];
    entry.stack = before && entry.start - before.start < 1e-6 ? before.stack + 1 : 0;
    last[entry.lane] = entry;
  }
  for (const order of orders) order.entries = [];
  for (const entry of entries) for (const order of entry.orders) orders[order].entries.push(entry);
  const byName = new Map(orders.map((order) => [order.name, order.number]));
  const entryByName = new Map(entries.map((entry) => [`${page.lanes[entry.lane]}-${entry.sequence}`, entry]));
  const operationByNumber = new Map(operations.map((operation) => [operation.number, operation]));
  const suspects = new Set(page.checks.filter((check) => check.kind !== "valid").flatMap((check) => check.orders));
  const end = Math.max(page.about.lasted_s, ...[entries, messages].filter((things) => things.length).map((things) => things.at(-1).end), 1e-6);
  // What comes before anybody has done anything is the start of the peers.
  const firsts = [entries, operations].filter((things) => things.length).map((things) => things[0].start);
  const begin = firsts.length ? Math.min(...firsts) : 0;

  return { ...page, orders, entries, arrows, operations, messages, bands, byName, entryByName, operationByNumber, suspects, begin, end };
})();

/** Parse a text of the run once it is looked at; what was cut stays a text. */
function parsed(text) {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** The number of an order by its name, or by that of a fill or any other entry that concerns it. */
function orderNamed(name) {
  const entry = run.entryByName.get(name);
  return run.byName.get(name) ?? (entry && entry.orders.length ? entry.orders[0] : null);
}

/** A decimal as whole lots, exact. */
function lots(text) {
  const [whole, rest = ""] = String(text).split(".");
  return BigInt(whole + rest.padEnd(LOTS, "0").slice(0, LOTS));
}

/** Whole lots as a decimal. */
function decimal(amount) {
  const digits = (amount < 0n ? -amount : amount).toString().padStart(LOTS + 1, "0");
  const rest = digits.slice(-LOTS).replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${digits.slice(0, -LOTS)}${rest && `.${rest}`}`;
}

/** Seconds for people. */
function seconds(time) {
  const size = Math.abs(time);
  if (size >= 1) return `${time.toFixed(3)} s`;
  return size >= 1e-3 || size === 0 ? `${(time * 1e3).toFixed(size < 0.1 ? 2 : 1)} ms` : `${(time * 1e6).toFixed(0)} µs`;
}

/** How many there are, in words. */
function many(things, one) {
  return `${things.length.toLocaleString("en")} ${one}${things.length === 1 ? "" : "s"}`;
}

function clock(time) {
  return `${time.toFixed(4)} s`;
}

/** Make an element; what is given as text stays text, whatever it says. */
function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
