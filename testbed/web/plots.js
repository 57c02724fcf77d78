// Latency and throughput on the diagram's own axis of time, with the faults behind.
"use strict";

const PLOT_FOOT = 16;
const BUCKET_PX = 6;

const answered = run.operations.filter((operation) => operation.kind === "request");
const took = (operation) => Math.max(1e-5, operation.end - operation.start);
// Whole powers of ten, so that there always is a line to read from.
const slowest = 10 ** Math.ceil(Math.log10(answered.reduce((most, operation) => Math.max(most, took(operation)), 1e-3)));
const fastest = 10 ** Math.floor(Math.log10(answered.reduce((least, operation) => Math.min(least, took(operation)), slowest / 10)));
const ends = answered.filter((operation) => operation.outcome === "ok").map((operation) => operation.end).sort((a, b) => a - b);
const deals = run.entries
  .filter((entry) => entry.type === "ORDERS_TRADED" || (entry.type === "FILL_GRANTED" && !/"granted":\s*"0"/.test(entry.text ?? "")))
  .map((entry) => entry.start);

function latencyY(picture, duration) {
  const [low, high] = [Math.log10(fastest), Math.log10(slowest)];
  return 10 + ((high - Math.log10(duration)) / (high - low)) * (picture.height - PLOT_FOOT - 14);
}

function drawLatency(pen, picture) {
  titled(pen, picture, "latency", "");
  picture.clipped(pen, () => {
    picture.backdrop(pen);
    picture.ticks(pen, true);
    for (let power = Math.round(Math.log10(fastest)); power <= Math.round(Math.log10(slowest)); power++) rule(pen, picture, latencyY(picture, 10 ** power));
    const drawn = new Set();
    for (const operation of inWindow(answered)) {
      if (!view.shows(operation)) continue;
      const [x, y] = [picture.x(operation.start), latencyY(picture, took(operation))];
      const pixel = Math.round(x) * 4096 + Math.round(y);
      if (drawn.has(pixel) && operation.outcome === "ok") continue;
      drawn.add(pixel);
      if (operation.outcome === "ok") {
        pen.fillStyle = operationColour(operation);
        pen.fillRect(x - 1.5, y - 1.5, 3, 3);
      } else cross(pen, x, y, operationColour(operation));
    }
  });
  scale(pen, picture);
}

function scale(pen, picture) {
  pen.fillStyle = theme.faint;
  pen.textAlign = "right";
  for (let power = Math.round(Math.log10(fastest)); power <= Math.round(Math.log10(slowest)); power++) {
    pen.fillText(tickText(10 ** power, 10 ** power), GUTTER - 6, latencyY(picture, 10 ** power) + 4);
  }
}

function rule(pen, picture, y) {
  pen.strokeStyle = theme.line;
  pen.beginPath();
  pen.moveTo(GUTTER, Math.round(y) + 0.5);
  pen.lineTo(picture.width, Math.round(y) + 0.5);
  pen.stroke();
}

function titled(pen, picture, title, rest) {
  pen.textAlign = "left";
  pen.fillStyle = theme.ink;
  pen.font = `600 ${theme.font}`;
  pen.fillText(title, 10, 16);
  pen.font = theme.font;
  pen.fillStyle = theme.faint;
  pen.fillText(rest, 10, 31, GUTTER - 14);
}

/** How many of sorted times fall into each bucket of the window, per second. */
function rates(times, count) {
  const span = (view.to - view.from) / count;
  const found = Array(count).fill(0);
  for (let at = lowerBound(times, view.from); at < times.length && times[at] < view.to; at++) {
    found[Math.min(count - 1, Math.floor((times[at] - view.from) / span))] += 1 / span;
  }
  return found;
}

function lowerBound(times, time) {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function drawThroughput(pen, picture) {
  const count = Math.max(1, Math.floor(picture.inner / BUCKET_PX));
  const [requests, trades] = [rates(ends, count), rates(deals, count)];
  const most = [...requests, ...trades].reduce((a, b) => Math.max(a, b), 1e-9);
  const y = (rate) => picture.height - PLOT_FOOT - (rate / most) * (picture.height - PLOT_FOOT - 10);
  titled(pen, picture, "per second", "answers, trades");
  picture.clipped(pen, () => {
    picture.backdrop(pen);
    picture.ticks(pen, true);
    pen.fillStyle = theme.message;
    pen.globalAlpha = 0.55;
    requests.forEach((rate, at) => pen.fillRect(GUTTER + (at * picture.inner) / count, y(rate), picture.inner / count - 1, (rate / most) * (picture.height - PLOT_FOOT - 10)));
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.fill;
    pen.lineWidth = 1.5;
    pen.beginPath();
    trades.forEach((rate, at) => pen.lineTo(GUTTER + ((at + 0.5) * picture.inner) / count, y(rate)));
    pen.stroke();
    pen.lineWidth = 1;
    rule(pen, picture, picture.height - PLOT_FOOT);
  });
  pen.textAlign = "right";
  pen.fillStyle = theme.faint;
  pen.fillText(Math.round(most).toLocaleString("en"), GUTTER - 6, 48);
}
