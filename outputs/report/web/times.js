"use strict";
report.makers.set("times", (host, data) => {
  const { page, state, at, methods, interval } = report;
  const turns = report.data("curves")?.turns ?? [1];
  const shade = (i) => `color-mix(in oklab, var(--warm), var(--accent) ${Math.round((100 * i) / Math.max(turns.length - 1, 1))}%)`;
  const legend = report.el("div", { class: "filters", "aria-hidden": "true" });
  turns.forEach((t, i) => legend.append(report.el("span", {}, charts.stroke(shade(i)), ` turn ${t}`)));
  const grid = report.el("div", { class: "charts" });
  host.append(legend, grid);
  const draw = (title, points) => charts.chart(grid, title, "ms, logarithmic", (width) => {
    const rows = methods().filter((m) => turns.some((t) => at(points, state.mode, state.group, m, t)));
    const dots = rows.flatMap((m, i) => turns.flatMap((t, k) => {
      const p = at(points, state.mode, state.group, m, t);
      return p && p.v > 0 ? [{ m, i, t, k, p, x: 1000 * p.v, lo: 1000 * Math.max(p.lo ?? p.v, p.v / 10), hi: 1000 * (p.hi ?? p.v) }] : [];
    }));
    if (dots.length === 0) return { empty: "No times of these tasks and methods." };
    const g = charts.gutter(rows.map((m) => page.methods[m].name), width);
    const names = charts.labels(rows.map((m) => page.methods[m].name), g.letters);
    const domain = [d3.min(dots, (d) => d.lo) / 1.1, d3.max(dots, (d) => d.hi) * 1.1];
    return {
      options: {
        height: rows.length * 20 + 50, marginLeft: g.room, marginRight: 14, marginTop: 10, marginBottom: 38,
        x: { type: "log", domain, grid: true, label: null, ticks: charts.ticks(domain), tickFormat: (v) => String(+v.toPrecision(3)) },
        y: { domain: d3.range(rows.length), axis: null, padding: 0.2 },
        marks: [
          Plot.text(names, { frameAnchor: "left", y: (d, i) => i, text: (d) => d, textAnchor: "end", dx: -8 }),
          Plot.ruleY(dots, { y: "i", x1: "lo", x2: "hi", stroke: (d) => shade(d.k), strokeOpacity: 0.45, strokeWidth: 2 }),
          Plot.dot(dots, { x: "x", y: "i", r: 3.4, fill: (d) => shade(d.k) }),
        ],
      },
      points: dots.map((d) => ({ x: d.x, y: d.i, text: `${page.methods[d.m].name}, turn ${d.t}\n${interval(d.p, 0.001, 2, " ms")}` })),
    };
  });
  draw("Time to first token", data.first);
  draw("Time per token", data.token);
});
