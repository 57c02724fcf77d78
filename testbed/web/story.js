// What a thing is, in a sentence; and the story of one order, from the sentences of all that concerns it.
"use strict";

const MAX_SCANNED = 2_000;

/** Say in a sentence what a thing is. */
function tell(thing) {
  const { [thing.kind]: say } = { entry: tellEntry, request: tellRequest, wait: tellRequest, fault: tellFault, message: tellMessage, arrow: tellArrow, band: tellBand };
  return say(thing);
}

function laneName(lane) {
  return run.lanes[lane] ?? "somebody";
}

function tellEntry(entry) {
  const event = (parsed(entry.text) ?? {}).event ?? {};
  const who = laneName(entry.lane);
  switch (entry.type) {
    case "ORDER_PLACED":
      return `${who} accepts ${event.id}: ${event.side} ${event.quantity} ${event.item} at ${event.price ?? "market"}${terms(event)}`;
    case "ORDER_CANCELLED":
      return `${who} cancels ${event.id}${event.reason ? ` (${event.reason})` : ""}; ${event.remaining} of it may still trade`;
    case "ORDER_REDUCED":
      return `${who} reduces ${event.id}; ${event.remaining} of it may still trade`;
    case "FILL_OPENED":
      return `${who} reserves ${event.quantity} of ${event.taker} and asks ${event.hold ? "to hold" : "for"} ${event.maker} (fill ${event.fillId})`;
    case "FILL_HELD":
      return `${who} holds ${event.held} of ${event.maker} for ${event.taker} (fill ${event.fillId})`;
    case "FILL_GRANTED":
      return `${who} ${lots(event.granted ?? 0) ? `grants ${event.granted} at ${event.price}` : event.prevented ? `prevents (${event.prevented}) a trade` : "grants nothing"} of ${event.maker} to ${event.taker}; ${event.remaining} left (fill ${event.fillId})`;
    case "FILL_CLOSED":
      return `${who} learns that ${event.taker} got ${event.granted} at ${event.price} from ${event.maker}; ${event.remaining} left (fill ${event.fillId})`;
    case "ORDERS_TRADED":
      return `${who} trades ${event.quantity} at ${event.price} between its own ${event.taker} and ${event.maker}`;
    default:
      return `${who} writes ${entry.type}`;
  }
}

function terms(event) {
  const said = [(event.timeInForce ?? "GTC") === "GTC" ? "" : event.timeInForce, event.postOnly ? "post-only" : "", event.selfTradePrevention].filter(Boolean);
  return said.length ? ` (${said.join(", ")})` : "";
}

function tellRequest(operation) {
  const asked = parsed(operation.asked) ?? {};
  const answer = parsed(operation.answer) ?? {};
  const order = asked.order;
  const what = order ? `${order.type} ${order.quantity} ${order.item} at ${order.price ?? "market"}${terms(order)}` : asked.id ?? asked.item ?? "";
  const got = operation.outcome === "ok" ? (answer && answer.id ? `: ${answer.id} ${answer.status ?? ""}` : "") : `: ${answer && answer.error ? answer.error : "never answered"}`;
  const where = operation.lane === null ? "" : ` at ${laneName(operation.lane)}`;
  return `${operation.process} ${operation.what} ${what}${where} (#${operation.number}), ${operation.outcome} after ${seconds(operation.end - operation.start)}${got}`;
}

function tellFault(operation) {
  const asked = parsed(operation.asked) ?? {};
  return `${operation.what} ${asked.peer ?? [asked.sender, asked.receiver].filter(Boolean).join(" → ")}, took ${seconds(operation.end - operation.start)}`;
}

function tellMessage(message) {
  const arrives = { arrived: `, ${seconds(message.end - message.start)}`, "under way": ", still under way" }[message.fate] ?? `, ${message.fate}`;
  return `${laneName(message.from)} → ${laneName(message.to)}: ${message.says || "an empty envelope"}${arrives}`;
}

function tellArrow(arrow) {
  const [from, to] = [laneName(arrow.from.lane), laneName(arrow.to.lane)];
  const told = { known: `an order of ${from} is known to ${to}`, asked: `${from} asks ${to} for a fill`, told: `${from} has told ${to} its decision` }[arrow.type];
  return `${told}, after ${seconds(arrow.to.start - arrow.from.start)} by the ledgers' clocks`;
}

function tellBand(band) {
  const until = band.healed ? `for ${seconds(band.end - band.start)}` : "until the end";
  return `${band.told}, ${until}`;
}

/** Keep account of an order from entry to entry, and say what of it should not be. */
class Bookkeeper {
  constructor(order) {
    this.name = order.name;
    this.original = null;
    this.filled = 0n;
    this.reserved = 0n;
    this.opened = new Map();
    this.granted = new Map();
    this.closed = new Map();
    // By the clocks a decision may seem to come after it was heard of: what was decided is known beforehand.
    this.decisions = new Map(order.entries.filter((entry) => entry.type === "FILL_GRANTED").map((entry) => (parsed(entry.text) ?? {}).event ?? {}).map((event) => [event.fillId, lots(event.granted ?? 0)]).reverse());
  }

  /** Read one entry; return how the order stands by its own ledger, and an alarm, either may be empty. */
  read(entry) {
    const event = (parsed(entry.text) ?? {}).event;
    if (!event) return { stands: "", alarm: "" };
    const alarm = this.apply(event);
    if (this.original === null || !this.mine) return { stands: "", alarm };
    const beyond = this.filled + this.reserved > this.original;
    const stands = `${decimal(this.filled)} filled + ${decimal(this.reserved)} reserved of ${decimal(this.original)}`;
    return { stands, alarm: alarm || (beyond ? "more than was ordered" : this.reserved < 0n ? "more released than reserved" : "") };
  }

  apply(event) {
    this.mine = true;
    switch (event.type) {
      case "ORDER_PLACED":
        this.original = lots(event.quantity);
        return "";
      case "FILL_OPENED":
        this.mine = event.taker === this.name;
        if (this.mine) this.reserved += lots(event.quantity);
        return this.once(this.opened, event.fillId, lots(event.quantity), "opened");
      case "FILL_GRANTED":
        this.mine = event.maker === this.name;
        if (this.mine) this.filled += lots(event.granted);
        return this.once(this.granted, event.fillId, lots(event.granted), "decided");
      case "FILL_CLOSED":
        return this.close(event);
      case "ORDERS_TRADED":
        this.filled += lots(event.quantity);
        return "";
      default:
        return "";
    }
  }

  close(event) {
    this.mine = event.taker === this.name;
    const granted = lots(event.granted);
    if (this.mine) {
      this.filled += granted;
      this.reserved -= this.opened.get(event.fillId) ?? granted;
    }
    const again = this.once(this.closed, event.fillId, granted, "closed");
    const decided = this.decisions.get(event.fillId);
    if (again || decided === granted) return again;
    return decided === undefined ? "nobody has decided this fill" : `${decimal(decided)} was granted`;
  }

  once(seen, fill, amount, what) {
    if (seen.has(fill)) return `fill ${fill} is ${what} once more`;
    seen.set(fill, amount);
    return "";
  }
}

/** Everything that concerns an order, in the order of time: `{time, thing, text, stands, alarm}`. */
function storyOf(number) {
  const order = run.orders[number];
  const concerned = (things) => things.filter((thing) => thing.orders.includes(number));
  const [entries, operations, messages] = [order.entries, concerned(run.operations), concerned(run.messages)];
  const keeper = new Bookkeeper(order);
  const rows = entries.map((thing) => ({ time: thing.start, thing, text: tell(thing), ...keeper.read(thing) }));
  for (const thing of [...operations, ...messages.filter((message) => message.says)]) {
    const alarm = thing.kind === "request" && thing.outcome !== "ok" ? "no answer that could be trusted" : "";
    rows.push({ time: thing.start, thing, text: tell(thing), stands: "", alarm: thing.fate && thing.fate !== "arrived" ? thing.fate : alarm });
  }
  if (rows.length) rows.push(...faultsAmong(rows, entries, order));
  return rows.sort((a, b) => a.time - b.time);
}

/** The earliest entry, of all orders that a check speaks of (or of all, if of none), that should not be as it is. */
function firstSign() {
  const orders = run.suspects.size ? [...run.suspects] : [...run.orders.keys()];
  let first = null;
  for (const number of orders.slice(0, MAX_SCANNED)) {
    const keeper = new Bookkeeper(run.orders[number]);
    for (const entry of run.orders[number].entries) {
      const { alarm } = keeper.read(entry);
      if (alarm && (first === null || entry.start < first.entry.start)) first = { entry, alarm, order: number };
    }
  }
  return first;
}

/** The faults that hit one of the peers of a story while it went on. */
function faultsAmong(rows, entries, order) {
  const lanes = new Set([...entries.map((entry) => entry.lane), run.lanes.indexOf(order.peer)]);
  const times = rows.map((row) => row.time);
  const [from, to] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
  return run.bands
    .filter((band) => band.what !== "late" && band.start <= to && band.end >= from && band.lanes.some((lane) => lanes.has(lane)))
    .map((band) => ({ time: band.start, thing: band, text: tell(band), stands: "", alarm: "" }));
}
