// The space-time diagram: a lane per peer, requests above it, ledger entries on it, arrows between them, faults behind.
"use strict";

const SCRIPT_LANE = 26;
const FOOT = 18;
const SLOT = 5;
const MARK = 4.5;
const NEAR_PX = 7;
const MANY = 700;
const LINES_A_PATH = 16;
const HEADS = 1_500;
const NAME_ROWS = 3;

const lanes = (() => {
  const count = run.lanes.length;
  const height = count <= 3 ? 104 : count <= 5 ? 84 : count <= 10 ? 60 : 44;
  const waits = run.operations.some((operation) => operation.kind === "wait") ? SCRIPT_LANE : 4;
  const slots = Math.max(2, Math.floor((height * 0.62 - 12) / SLOT));
  return {
    height,
    slots,
    total: waits + count * height + FOOT,
    top: (lane) => waits + lane * height,
    y: (lane) => waits + lane * height + Math.round(height * 0.66),
  };
})();

// Requests at the same time lie above each other; where there are too many, they share the highest place.
(() => {
  const busy = run.lanes.map(() => Array(lanes.slots).fill(-Infinity));
  for (const operation of run.operations) {
    if (operation.kind !== "request" || operation.lane === null) continue;
    const free = busy[operation.lane].findIndex((until) => until <= operation.start);
    operation.slot = free < 0 ? lanes.slots - 1 : free;
    busy[operation.lane][operation.slot] = Math.max(operation.end, busy[operation.lane][operation.slot]);
  }
})();

const PANICS = run.logs.flatMap((log) => log.lines.filter(([, panics]) => panics).map(([line]) => ({ log, line, at: stampOf(line) })));

/** When a line of a log was written, in seconds of the run, if it says so. */
function stampOf(line) {
  const stamp = (parsed(line) ?? {}).time;
  return stamp ? Date.parse(stamp) / 1000 - run.about.began_s : null;
}

function drawDiagram(pen, picture) {
  picture.ticks(pen, true);
  drawLanes(pen, picture);
  picture.clipped(pen, () => {
    for (const band of run.bands) drawBand(pen, picture, band);
    for (const lane of run.lanes.keys()) drawLine(pen, picture, lane);
    if (view.layers.messages || view.layers.empty) drawMessages(pen, picture);
    if (view.layers.fills) drawArrows(pen, picture);
    drawOperations(pen, picture);
    drawEntries(pen, picture);
    drawBandNames(pen, picture);
    for (const panic of PANICS) drawPanic(pen, picture, panic);
    if (view.pinned) drawPinned(pen, picture, view.pinned);
  });
}

function drawLanes(pen, picture) {
  pen.textAlign = "left";
  for (const [lane, name] of run.lanes.entries()) {
    const peer = run.peers.find((each) => each.name === name);
    const gone = peer && !peer.living;
    pen.fillStyle = theme.panel;
    if (lane % 2 === 0) pen.fillRect(0, lanes.top(lane), picture.width, lanes.height);
    pen.fillStyle = theme.ink;
    pen.font = `600 ${theme.font}`;
    pen.fillText(name, 10, lanes.y(lane) + 1);
    pen.font = theme.font;
    pen.fillStyle = gone ? theme.bad : theme.faint;
    pen.fillText(gone ? "down at the end" : peer ? `${peer.entries} entries` : "", 10, lanes.y(lane) + 16);
  }
}

function drawLine(pen, picture, lane) {
  pen.strokeStyle = theme.faint;
  pen.beginPath();
  pen.moveTo(GUTTER, lanes.y(lane) + 0.5);
  pen.lineTo(picture.width, lanes.y(lane) + 0.5);
  pen.stroke();
}

function drawBand(pen, picture, band) {
  if (band.end < view.from || band.start > view.to) return;
  const x = picture.x(band.start);
  const width = Math.max(2, picture.x(band.end) - x);
  const slim = band.what === "cut" || band.what === "skew" || band.what === "weather";
  pen.fillStyle = bandColour(band);
  for (const lane of band.lanes) {
    const [top, height] = slim ? [lanes.y(lane) - 4, 9] : [lanes.top(lane) + 1, lanes.height - 2];
    pen.globalAlpha = slim ? 0.3 : 0.17;
    pen.fillRect(x, top, width, height);
    pen.globalAlpha = 1;
  }
}

function drawBandNames(pen, picture) {
  pen.textAlign = "left";
  pen.strokeStyle = theme.ground;
  pen.lineWidth = 3;
  const taken = run.lanes.map(() => []);
  for (const band of run.bands) {
    const [x, end] = [Math.max(GUTTER, picture.x(band.start)), Math.min(picture.width, picture.x(band.end))];
    if (end - x < 60) continue;
    // Names of faults at the same time stand under each other.
    const rows = taken[band.lanes[0]];
    const free = rows.findIndex((until) => until <= x);
    const row = free < 0 ? rows.length : free;
    if (row >= NAME_ROWS) continue;
    rows[row] = end;
    const y = lanes.top(band.lanes[0]) + 12 + row * 12;
    const told = fitting(pen, band.told, end - x - 8);
    pen.fillStyle = bandColour(band);
    pen.strokeText(told, x + 4, y);
    pen.fillText(told, x + 4, y);
  }
  pen.lineWidth = 1;
}

/** As much of a text as fits into a width. */
function fitting(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 0 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return end ? `${text.slice(0, end)}…` : "";
}

/** How strongly lines are drawn where there are many: all of them together should still be a picture. */
function strength(count) {
  return view.order !== null ? 0.95 : Math.min(0.85, Math.max(0.3, MANY / (count + 1)));
}

function drawMessages(pen, picture) {
  const shown = [...inWindow(run.messages)].filter(isDrawn);
  const paths = new Paths(shown.length < HEADS);
  for (const message of shown) {
    const whole = message.fate === "arrived" && message.says !== "refused";
    paths.add(messageColour(message), whole ? [] : [3, 3], lineOf(picture, message), message.fate === "arrived");
  }
  paths.stroke(pen, strength(shown.length));
  for (const message of shown) {
    const line = message.fate === "arrived" ? null : lineOf(picture, message);
    if (line) cross(pen, line.x1, line.y1, theme.bad);
  }
}

/** Lines gathered by how they look: a pen is slow to change, and slow with a path of thousands of lines too. */
class Paths {
  constructor(heads) {
    this.heads = heads;
    this.gathered = new Map();
  }

  add(colour, dash, line, head) {
    const look = `${colour} ${dash}`;
    const same = this.gathered.get(look) ?? { colour, dash, paths: [], count: 0, pixels: new Set() };
    this.gathered.set(look, same);
    // What would lie on the very same pixels is drawn once.
    const pixels = ((Math.round(line.x0) * 8192 + Math.round(line.x1)) * 2048 + Math.round(line.y0)) * 2048 + Math.round(line.y1);
    if (same.pixels.has(pixels)) return;
    same.pixels.add(pixels);
    if (same.count++ % LINES_A_PATH === 0) same.paths.push(new Path2D());
    trace(same.paths.at(-1), line, head && this.heads);
  }

  stroke(pen, alpha) {
    pen.globalAlpha = alpha;
    for (const { colour, dash, paths } of this.gathered.values()) {
      pen.strokeStyle = colour;
      pen.setLineDash(dash);
      for (const path of paths) pen.stroke(path);
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
  }
}

function isDrawn(message) {
  const wanted = message.says ? view.layers.messages : view.layers.empty;
  return wanted && (view.shows(message) || (view.order === null && !message.says));
}

function messageColour(message) {
  if (message.says === "refused" || message.fate !== "arrived") return theme.bad;
  if (/FILL_ORDER|ORDER_FILLED/.test(message.says)) return theme.fill;
  return /ORDER_MATCHED/.test(message.says) ? theme.told : message.says ? theme.message : theme.line;
}

/** Where a message's line runs; one that never arrives ends on half its way, in no time that anybody knows. */
function lineOf(picture, message) {
  const [y0, y1] = [lanes.y(message.from), lanes.y(message.to)];
  const arrives = message.fate === "arrived";
  const x0 = picture.x(message.start);
  return { x0, y0, x1: picture.x(message.end) + (arrives ? 0 : 8), y1: arrives ? y1 : y0 + (y1 - y0) * 0.45 };
}

function drawArrows(pen, picture) {
  const shown = [...inWindow(run.arrows)].filter((arrow) => view.shows(arrow));
  const paths = new Paths(shown.length < HEADS);
  for (const arrow of shown) {
    const colour = { known: theme.message, asked: theme.ask, told: theme.told }[arrow.type];
    paths.add(colour, arrow.type === "known" ? [2, 4] : [], arrowLine(picture, arrow), true);
  }
  paths.stroke(pen, strength(shown.length));
}

function arrowLine(picture, arrow) {
  const [from, to] = [arrow.from, arrow.to];
  return { x0: picture.x(from.start), y0: entryY(from), x1: picture.x(to.start), y1: entryY(to) };
}

function trace(path, { x0, y0, x1, y1 }, head) {
  path.moveTo(x0, y0);
  path.lineTo(x1, y1);
  if (!head || Math.abs(y1 - y0) <= 2) return;
  const angle = Math.atan2(y1 - y0, x1 - x0);
  const [tipX, tipY] = [x1 - Math.cos(angle) * 5, y1 - Math.sin(angle) * 5];
  for (const side of [-0.45, 0.45]) {
    path.moveTo(tipX, tipY);
    path.lineTo(tipX - Math.cos(angle + side) * 6, tipY - Math.sin(angle + side) * 6);
  }
}

function cross(pen, x, y, colour) {
  pen.strokeStyle = colour;
  pen.setLineDash([]);
  pen.beginPath();
  for (const slope of [-1, 1]) {
    pen.moveTo(x - 3.5, y - 3.5 * slope);
    pen.lineTo(x + 3.5, y + 3.5 * slope);
  }
  pen.stroke();
}

function drawOperations(pen, picture) {
  for (const operation of inWindow(run.operations)) {
    const box = boxOf(picture, operation);
    if (!box || !view.shows(operation)) continue;
    if (operation.kind === "wait" || view.layers.requests) {
      pen.fillStyle = operationColour(operation);
      pen.globalAlpha = operation.outcome === "ok" ? 0.8 : 1;
      pen.fillRect(box.x, box.y, box.width, box.height);
      pen.globalAlpha = 1;
    }
    if (operation.kind === "wait" && box.width > 40) {
      pen.fillStyle = theme.ink;
      pen.textAlign = "left";
      pen.fillText(fitting(pen, operation.what, box.width - 6), Math.max(box.x, GUTTER) + 3, box.y + 11);
    }
  }
}

function boxOf(picture, operation) {
  const [x, width] = [picture.x(operation.start), Math.max(1.5, picture.x(operation.end) - picture.x(operation.start))];
  if (operation.kind === "wait") return { x, width, y: 6, height: 14 };
  if (operation.slot === undefined) return null;
  return { x, width, y: lanes.y(operation.lane) - 10 - SLOT * (operation.slot + 1), height: SLOT - 1 };
}

function operationColour(operation) {
  if (operation.kind === "wait") return operation.outcome === "ok" ? theme.line : theme.bad;
  if (operation.outcome !== "ok") return operation.outcome === "fail" ? theme.bad : theme.warn;
  if (operation.what !== "submit") return operation.what === "cancel" ? theme.bad : theme.faint;
  operation.side ??= ((parsed(operation.asked) ?? {}).order ?? {}).type ?? "buy";
  return operation.side === "sell" ? theme.sell : theme.buy;
}

/** The height of a mark: what came with one commit hangs below the first of it. */
function entryY(entry) {
  return lanes.y(entry.lane) + Math.min(entry.stack, 2) * 10;
}

function drawEntries(pen, picture) {
  const drawn = new Set();
  const few = run.suspects.size <= 50;
  for (const entry of inWindow(run.entries)) {
    if (entry.lane === null || !view.shows(entry)) continue;
    const x = picture.x(entry.start);
    const pixel = (Math.round(x) * 64 + entry.lane) * 32 + Object.keys(MARKS).indexOf(entry.type) * 4 + Math.min(entry.stack, 2);
    if (drawn.has(pixel)) continue;
    drawn.add(pixel);
    (MARKS[entry.type] ?? MARKS.OTHER)(pen, x, entryY(entry) + 0.5, entry);
    if (few && entry.orders.some((order) => run.suspects.has(order))) ring(pen, x, entryY(entry), theme.bad, 8);
  }
}

function path(pen, colour, points, filled) {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.closePath();
  pen.fillStyle = filled ? colour : theme.panel;
  pen.strokeStyle = colour;
  pen.fill();
  pen.stroke();
}

const MARKS = {
  ORDER_PLACED(pen, x, y, entry) {
    pen.fillStyle = (run.orders[entry.orders[0]] ?? {}).side === "sell" ? theme.sell : theme.buy;
    pen.beginPath();
    pen.arc(x, y, MARK, 0, 7);
    pen.fill();
  },
  ORDER_CANCELLED: (pen, x, y) => cross(pen, x, y, theme.ink),
  FILL_OPENED: (pen, x, y) => path(pen, theme.ask, [[x - 4, y - 4], [x + 4, y], [x - 4, y + 4]], false),
  FILL_GRANTED(pen, x, y, entry) {
    entry.grants ??= !/"granted":\s*"0"/.test(entry.text ?? "");
    path(pen, theme.fill, [[x, y - 5], [x + 5, y], [x, y + 5], [x - 5, y]], entry.grants);
  },
  FILL_CLOSED: (pen, x, y) => path(pen, theme.told, [[x + 4, y - 4], [x - 4, y], [x + 4, y + 4]], true),
  ORDERS_TRADED: (pen, x, y) => path(pen, theme.fill, [[x - 4, y - 4], [x + 4, y - 4], [x + 4, y + 4], [x - 4, y + 4]], true),
  OTHER: (pen, x, y) => path(pen, theme.ink, [[x - 3, y - 3], [x + 3, y - 3], [x + 3, y + 3], [x - 3, y + 3]], true),
};

function ring(pen, x, y, colour, radius) {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 7);
  pen.stroke();
  pen.lineWidth = 1;
}

function drawPanic(pen, picture, panic) {
  const lane = run.lanes.indexOf(panic.log.name);
  if (lane < 0 || panic.at === null) return;
  pen.fillStyle = theme.bad;
  pen.font = `700 16px ${theme.font.split("px ")[1]}`;
  pen.textAlign = "center";
  pen.fillText("!", picture.x(panic.at), lanes.y(lane) + 20);
  pen.font = theme.font;
}

function drawPinned(pen, picture, thing) {
  const box = thing.kind === "entry" ? null : thing.slot === undefined && thing.kind !== "wait" ? null : boxOf(picture, thing);
  if (thing.kind === "entry" && thing.lane !== null) ring(pen, picture.x(thing.start), entryY(thing), theme.ink, 10);
  pen.strokeStyle = theme.ink;
  pen.lineWidth = 2;
  if (box) pen.strokeRect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
  const line = thing.kind === "message" ? lineOf(picture, thing) : thing.kind === "arrow" ? arrowLine(picture, thing) : null;
  const path = new Path2D();
  if (line) trace(path, line, true);
  pen.stroke(path);
  pen.lineWidth = 1;
}

/** What lies under the hand: the nearest mark, else a request, else an arrow, else a band; null where nothing does. */
function under(picture, x, y) {
  const near = { thing: null, distance: NEAR_PX };
  const consider = (thing, distance) => {
    if (distance < near.distance) Object.assign(near, { thing, distance });
  };
  const around = { from: picture.time(x - NEAR_PX - 2), to: picture.time(x + NEAR_PX + 2) };
  for (const entry of inWindow(run.entries, around)) {
    if (entry.lane !== null && view.shows(entry)) consider(entry, Math.hypot(picture.x(entry.start) - x, entryY(entry) - y));
  }
  for (const operation of inWindow(run.operations, around)) {
    const box = view.shows(operation) && (operation.kind === "wait" || view.layers.requests) ? boxOf(picture, operation) : null;
    if (box) consider(operation, Math.hypot(Math.max(box.x - x, 0, x - box.x - box.width), Math.max(box.y - y, 0, y - box.y - box.height)) * 2);
  }
  if (near.thing) return near.thing;
  for (const message of inWindow(run.messages, around)) if (isDrawn(message)) consider(message, distanceTo(lineOf(picture, message), x, y) + 1);
  for (const arrow of view.layers.fills ? inWindow(run.arrows, around) : []) if (view.shows(arrow)) consider(arrow, distanceTo(arrowLine(picture, arrow), x, y) + 1);
  return near.thing ?? bandUnder(picture, x, y);
}

function bandUnder(picture, x, y) {
  const time = picture.time(x);
  const hit = (band) => band.lanes.some((lane) => y >= lanes.top(lane) && y < lanes.top(lane) + lanes.height);
  return run.bands.findLast((band) => band.start <= time && band.end >= time && hit(band)) ?? null;
}

function distanceTo({ x0, y0, x1, y1 }, x, y) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const part = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x0 + part * dx - x, y0 + part * dy - y);
}
