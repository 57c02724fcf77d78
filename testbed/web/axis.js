// One axis of time for all pictures: where a moment lies, its ticks, the bands of faults, and the hands that move it.
"use strict";

const GUTTER = 122;
const RIGHT = 12;
const CLICK_PX = 4;

const theme = {};

/** Read the colours of the page's style, which follow the reader's wish for light or dark. */
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "ink", "faint", "line", "panel", "buy", "sell", "fill", "told", "bad", "warn", "good", "message", "ask"]) {
    theme[name] = style.getPropertyValue(`--${name}`).trim();
  }
  theme.font = "12px system-ui, sans-serif";
}

/** A canvas as wide as its place and as sharp as the screen; `draw(pen, picture)` is called with CSS pixels. */
class Picture {
  constructor(id, height, draw) {
    this.canvas = document.getElementById(id);
    this.draw = draw;
    this.height = height;
    view.listeners.push(() => this.paint());
    new ResizeObserver(() => view.changed()).observe(this.canvas.parentElement);
    hold(this);
  }

  get width() {
    return this.canvas.parentElement.clientWidth;
  }

  get inner() {
    return Math.max(50, this.width - GUTTER - RIGHT);
  }

  x(time) {
    return GUTTER + ((time - view.from) / (view.to - view.from)) * this.inner;
  }

  time(x) {
    return view.from + ((x - GUTTER) / this.inner) * (view.to - view.from);
  }

  paint() {
    const scale = devicePixelRatio || 1;
    const [width, height] = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
      this.canvas.style.height = `${this.height}px`;
    }
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.font = theme.font;
    pen.lineWidth = 1;
    this.draw(pen, this);
  }

  /** Draw within the axis only, beside the names of the lanes. */
  clipped(pen, draw) {
    pen.save();
    pen.beginPath();
    pen.rect(GUTTER, 0, this.inner + RIGHT, this.height);
    pen.clip();
    draw();
    pen.restore();
  }

  /** Draw the lines of the time axis; with `told`, also what they mean, at the foot. */
  ticks(pen, told) {
    const step = tickStep(view.to - view.from, this.inner / 110);
    pen.strokeStyle = theme.line;
    pen.fillStyle = theme.faint;
    pen.textAlign = "center";
    pen.beginPath();
    for (let tick = Math.ceil(view.from / step) * step; tick <= view.to; tick += step) {
      const x = Math.round(this.x(tick)) + 0.5;
      pen.moveTo(x, 0);
      pen.lineTo(x, this.height - (told ? 16 : 0));
      if (told) pen.fillText(tickText(tick, step), x, this.height - 4);
    }
    pen.stroke();
  }

  /** Lay the bands of all faults behind a plot, whomever they hit. */
  backdrop(pen) {
    for (const band of run.bands) {
      if (band.what === "late" || band.end < view.from || band.start > view.to) continue;
      pen.globalAlpha = 0.1;
      pen.fillStyle = bandColour(band);
      pen.fillRect(this.x(band.start), 0, Math.max(1, this.x(band.end) - this.x(band.start)), this.height - 16);
      pen.globalAlpha = 1;
    }
  }
}

function bandColour(band) {
  return { pause: theme.told, late: theme.faint, cut: theme.warn, weather: theme.warn, skew: theme.fill, fill_disk: theme.warn }[band.what] ?? theme.bad;
}

function tickStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((each) => each * power >= rough);
}

function tickText(tick, step) {
  if (step >= 0.1) return `${+tick.toFixed(step >= 1 ? 0 : 2)} s`;
  return step >= 1e-4 ? `${+(tick * 1e3).toFixed(step >= 1e-3 ? 0 : 1)} ms` : `${+(tick * 1e6).toFixed(0)} µs`;
}

/** The first of sorted things that may end after `time`, if none lasts longer than `longest`. */
function firstFrom(things, time, longest) {
  let [low, high] = [0, things.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (things[middle].start < time - longest) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Everything of a sorted list that lies at least partly in a window of time. */
function* inWindow(things, { from, to } = view) {
  things.longest ??= things.reduce((most, thing) => Math.max(most, thing.end - thing.start), 0);
  for (let at = firstFrom(things, from, things.longest); at < things.length && things[at].start <= to; at++) {
    if (things[at].end >= from) yield things[at];
  }
}

/** Let a picture be moved: drag pans, shift-drag selects a window, the wheel zooms once the picture has the focus. */
function hold(picture) {
  const canvas = picture.canvas;
  let held = null;
  canvas.addEventListener("pointerdown", (event) => {
    held = { x: event.offsetX, from: view.from, to: view.to, moved: false, selects: event.shiftKey };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held) return;
    const by = event.offsetX - held.x;
    held.moved ||= Math.abs(by) > CLICK_PX;
    if (held.moved && !held.selects) {
      const moved = (by / picture.inner) * (held.to - held.from);
      view.show(held.from - moved, held.to - moved);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (held && held.moved && held.selects) {
      const ends = [held.x, event.offsetX].map((x) => picture.time(x)).sort((a, b) => a - b);
      view.show(ends[0], ends[1]);
    }
    if (held && !held.moved && picture.clicked) picture.clicked(event.offsetX, event.offsetY);
    held = null;
  });
  canvas.addEventListener("wheel", (event) => wheel(picture, event), { passive: false });
  canvas.addEventListener("dblclick", (event) => view.zoom(0.4, picture.time(event.offsetX)));
}

function wheel(picture, event) {
  const zooms = event.ctrlKey || event.metaKey || document.activeElement.parentElement === picture.canvas.parentElement;
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
  if (!zooms && !sideways) return;
  event.preventDefault();
  if (sideways) view.pan(((event.deltaX || event.deltaY) / picture.inner) * (view.to - view.from));
  else view.zoom(1.0015 ** event.deltaY, picture.time(event.offsetX));
}
