"use strict";
report.makers.set("pareto", (host, data) => {
  const { page, state, at, methods, interval } = report;
  const grid = report.el("div", { class: "charts" });
  host.append(grid);
  const mebibyte = 2 ** 20;
  // spread moves labels apart: each at the first free height beside its point, or nowhere.
  function spread(dots, x, y, width) {
    const taken = dots.map((d) => ({ x0: x(d.x) - 5, x1: x(d.x) + 5, y: y(d.y) }));
    const free = (b) => !taken.some((t) => b.x0 < t.x1 && t.x0 < b.x1 && Math.abs(b.y - t.y) < 11);
    const all = [...dots].sort((a, b) => b.front - a.front || b.y - a.y);
    const out = [];
    for (const d of all) {
      const name = charts.short(d.name, 22);
      const long = name.length * 6.6;
      for (const shift of [0, 12, -12, 24, -24]) {
        const right = x(d.x) + 8 + long < width;
        const x0 = right ? x(d.x) + 8 : x(d.x) - 8 - long;
        const box = { x0, x1: x0 + long, y: y(d.y) + shift };
        if (!free(box) || box.y < 6) continue;
        taken.push(box);
        out.push({ ...d, name, shift, anchor: right ? "start" : "end", dx: right ? 8 : -8 });
        break;
      }
    }
    return out;
  }
  const draw = (title, points) => charts.chart(grid, title, "MiB, logarithmic", (width) => {
    const scores = report.data("leaderboard")[state.scoring];
    let dots = methods().map((m) => ({ m, c: at(points, state.mode, state.group, m), s: at(scores, state.mode, state.group, m) })).filter((d) => d.c && d.s && d.c.v > 0)
      .map((d) => ({ ...d, name: page.methods[d.m].name, x: d.c.v / mebibyte, x1: (d.c.lo ?? d.c.v) / mebibyte, x2: (d.c.hi ?? d.c.v) / mebibyte, y: 100 * d.s.v, y1: 100 * (d.s.lo ?? d.s.v), y2: 100 * (d.s.hi ?? d.s.v), front: false }));
    if (dots.length === 0) return { empty: "Nothing was measured of these tasks and methods." };
    dots.sort((a, b) => a.x - b.x || b.y - a.y);
    let best = -1;
    for (const d of dots) if (d.y > best) { best = d.y; d.front = true; }
    const height = Math.max(260, Math.min(380, width * 0.7));
    const [left, right, top, bottom] = [34, 20, 12, 40];
    const domain = [d3.min(dots, (d) => Math.max(d.x1, d.x / 10)) / 1.12, d3.max(dots, (d) => Math.min(d.x2, d.x * 10)) * 1.12];
    const x = d3.scaleLog(domain, [left, width - right]);
    const y = d3.scaleLinear([0, 100], [height - bottom, top]);
    const labels = spread(dots, x, y, width);
    const front = dots.filter((d) => d.front);
    return {
      options: {
        height, marginLeft: left, marginRight: right, marginTop: top, marginBottom: bottom,
        x: { type: "log", domain, label: null, grid: true, ticks: charts.ticks(domain), tickFormat: (v) => String(+v.toPrecision(3)) },
        y: { domain: [0, 100], label: null, grid: true, ticks: 5 },
        marks: [
          Plot.line(front, { x: "x", y: "y", stroke: "var(--ghost)", strokeWidth: 2, curve: "step-after" }),
          Plot.ruleX(dots, { x: "x", y1: "y1", y2: "y2", stroke: "var(--accent)", strokeOpacity: 0.4 }),
          Plot.ruleY(dots, { y: "y", x1: "x1", x2: "x2", stroke: "var(--accent)", strokeOpacity: 0.4 }),
          Plot.dot(dots, { x: "x", y: "y", r: 4, fill: (d) => (d.front ? "var(--accent)" : "var(--pale)"), stroke: "var(--paper)" }),
          ...labels.map((d) => Plot.text([d], { x: "x", y: "y", text: "name", textAnchor: d.anchor, dx: d.dx, dy: d.shift, fontWeight: d.front ? 600 : 400, stroke: "var(--paper)", strokeWidth: 3, fill: "currentColor" })),
        ],
      },
      points: dots.map((d) => ({
        x: d.x, y: d.y, text: `${d.name}${d.front ? " (no other is better on both)" : ""}\nscore: ${interval(d.s, 0.01, 1)}\n${title.split(" against ")[1]}: ${interval(d.c, mebibyte, 3, " MiB")}`,
        enter: () => queryList.only(d.m, state.group),
      })),
    };
  });
  draw("Score × 100 against the KV cache", data.kv);
  draw("Score × 100 against bytes read per token", data.read);
});
