"use strict";
// What the page is made of: its data, what the reader chose, and the parts that sections are built from. Text from the data is
// only ever put in as text.
const report = (() => {
  const page = JSON.parse(document.getElementById("data").textContent);
  const state = { mode: 0, group: 0, scoring: "fixed", methods: new Set(page.methods.keys()) };
  const makers = new Map(); // of sections, by id
  const drawers = []; // { host, draw, stale }

  // el makes an element: properties that begin with "on" are listeners, others attributes; kids are nodes or text.
  function el(tag, props = {}, ...kids) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...kids.flat().filter((k) => k != null));
    return node;
  }

  const say = (text) => { document.getElementById("say").textContent = text; };

  // table finds rows of points: key(mode, group, method, bin) to their index.
  function indexed(points) {
    if (!points.map) {
      points.map = new Map();
      for (let i = 0; i < (points.v?.length ?? 0); i++) points.map.set(`${points.b[i]},${points.g[i]},${points.m[i]},${points.x[i]}`, i);
    }
    return points.map;
  }
  function at(points, mode, group, method, bin = 0) {
    const i = indexed(points).get(`${mode},${group},${method},${bin}`);
    return i === undefined ? null : { v: points.v[i], lo: points.lo[i], hi: points.hi[i], n: points.n[i], k: points.k[i] };
  }

  const data = (id) => page.sections.find((s) => s.id === id)?.data;
  const methods = () => [...page.methods.keys()].filter((m) => state.methods.has(m));

  // interval says a value with its interval, n and sessions; unit divides, digits follow the point.
  function interval(p, unit, digits, suffix = "") {
    const f = (x) => (x / unit).toFixed(digits);
    const range = p.lo == null ? "no interval: one session" : `95 %: ${f(p.lo)} to ${f(p.hi)}`;
    return `${f(p.v)}${suffix} (${range}; n = ${p.n} of ${p.k} ${p.k === 1 ? "session" : "sessions"})`;
  }

  // changed redraws what can be seen, and the rest when it comes into sight.
  function changed() {
    for (const d of drawers) {
      d.stale = true;
      if (d.seen) fresh(d);
    }
  }
  function fresh(d) {
    if (!d.stale) return;
    d.stale = false;
    d.draw();
  }
  const watcher = new IntersectionObserver((entries) => {
    for (const e of entries) {
      const d = drawers.find((x) => x.host === e.target);
      d.seen = e.isIntersecting;
      if (d.seen) fresh(d);
    }
  }, { rootMargin: "300px" });
  function drawn(host, draw) {
    drawers.push({ host, draw, stale: true, seen: false });
    watcher.observe(host);
  }
  addEventListener("beforeprint", () => drawers.forEach((d) => { d.stale = true; fresh(d); }));
  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's bars come and go
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(changed, 120);
  });

  return { page, state, makers, drawers, el, say, at, data, methods, interval, changed, drawn, fresh };
})();
