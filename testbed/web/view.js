// What is being looked at: a window of time, an order, something pinned. Whoever draws is told when it changes.
"use strict";

const NARROWEST_S = 2e-6;

const view = {
  from: 0,
  to: 1,
  order: null,
  pinned: null,
  layers: { requests: true, fills: true, messages: true, empty: false },
  listeners: [],
  pending: false,

  /** Have everybody draw anew, once, with the next frame. */
  changed() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      for (const listener of this.listeners) listener();
    });
  },

  /** Show a window of time, kept within the run. */
  show(from, to) {
    const margin = (run.end - run.begin) * 0.03 + NARROWEST_S;
    const span = Math.min(Math.max(to - from, NARROWEST_S), run.end - run.begin + 2 * margin);
    this.from = Math.min(Math.max((from + to - span) / 2, run.begin - margin), run.end + margin - span);
    this.to = this.from + span;
    this.changed();
  },

  whole() {
    this.show(run.begin - (run.end - run.begin), run.end + (run.end - run.begin));
  },

  /** Zoom by a factor, so that `at` stays where it is. */
  zoom(factor, at = (this.from + this.to) / 2) {
    this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
  },

  pan(by) {
    this.show(this.from + by, this.to + by);
  },

  /** Follow one order, or all again (null); the address tells which, so that it can be handed on. */
  follow(order) {
    this.order = order;
    this.pinned = null;
    const hash = order === null ? "" : `#order=${run.orders[order].name}`;
    if (location.hash !== hash) history.replaceState(null, "", hash || location.pathname + location.search);
    this.changed();
  },

  /** Bring a thing into the picture, with a little of what is around it. */
  visit(thing) {
    this.pinned = thing;
    const span = Math.min(this.to - this.from, Math.max((thing.end - thing.start) * 3, (run.end - run.begin) / 50));
    if (thing.start < this.from || thing.end > this.to || span < (this.to - this.from) / 4) {
      const middle = (thing.start + thing.end) / 2;
      this.show(middle - span / 2, middle + span / 2);
    }
    this.changed();
  },

  shows(thing) {
    return this.order === null || thing.orders.includes(this.order);
  },
};

/** Show all that concerns the order that is being followed. */
function fitOrder() {
  const things = [...run.entries, ...run.operations].filter((thing) => thing.kind !== "wait" && view.shows(thing));
  if (!things.length) return;
  const from = Math.min(...things.map((thing) => thing.start));
  const to = Math.max(...things.map((thing) => thing.end));
  const margin = Math.max((to - from) * 0.06, (run.end - run.begin) * 0.002);
  view.show(from - margin, to + margin);
}
