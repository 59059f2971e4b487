"use strict";
report.makers.set("curves", (host, data) => {
  const { page, state, at, methods, interval } = report;
  const colors = ["var(--accent)", "var(--warm)", "var(--good)"];
  const legend = report.el("div", { class: "filters", "aria-hidden": "true" });
  page.modes.forEach((name, b) => legend.append(report.el("span", {}, charts.stroke(colors[b % 3]), " " + name)));
  if (page.fulls.some((f) => f >= 0)) legend.append(report.el("span", {}, charts.stroke("var(--ghost)"), " full attention"));
  host.append(legend);
  charts.chart(host, "Fixed score × 100 by turn", "a panel for each method", (width) => {
    const fixed = report.data("leaderboard").fixed;
    const chosen = methods().filter((m) => page.modes.some((_, b) => data.turns.some((t) => at(fixed, b, state.group, m, t))));
    if (chosen.length === 0) return { empty: "No chosen method answered these tasks." };
    const columns = Math.max(1, Math.min(chosen.length, Math.floor((width - 30) / 150), 7));
    const lines = [];
    const ghosts = [];
    const points = [];
    chosen.forEach((m, i) => {
      const facet = { fx: i % columns, fy: Math.floor(i / columns) };
      page.modes.forEach((mode, b) => {
        for (const t of data.turns) {
          const p = at(fixed, b, state.group, m, t);
          if (p) {
            lines.push({ ...facet, z: `${m},${b}`, t, v: 100 * p.v, lo: 100 * (p.lo ?? p.v), hi: 100 * (p.hi ?? p.v), color: colors[b % 3] });
            points.push({ ...facet, x: t, y: 100 * p.v, text: `${page.methods[m].name}, ${mode}, turn ${t}\n${interval(p, 0.01, 1)}`, enter: () => queryList.only(m, state.group) });
          }
          const f = page.fulls[m] >= 0 && page.fulls[m] !== m ? at(fixed, b, state.group, page.fulls[m], t) : null;
          if (f) ghosts.push({ ...facet, z: `${m},${b}`, t, v: 100 * f.v });
        }
      });
    });
    const rows = Math.ceil(chosen.length / columns);
    const letters = Math.floor((width - 30) / columns / 6.3);
    const last = data.turns[data.turns.length - 1];
    const facet = { fx: "fx", fy: "fy" };
    return {
      options: {
        height: rows * 104 + 40, marginLeft: 30, marginRight: 6, marginTop: 20, marginBottom: 30,
        x: { domain: [data.turns[0] - 0.15, Math.max(last, data.turns[0] + 1) + 0.15], ticks: data.turns.filter((t) => t % Math.ceil(last / 7) === 0 || t === 1), tickFormat: "d", label: null, tickSize: 0 },
        y: { domain: [0, 100], ticks: [0, 50, 100], label: null, tickSize: 0, grid: true },
        fx: { domain: d3.range(columns), axis: null, padding: 0.1 },
        fy: { domain: d3.range(rows), axis: null, padding: 0.24 },
        marks: [
          Plot.areaY(lines, { ...facet, z: "z", x: "t", y1: "lo", y2: "hi", fill: "color", fillOpacity: 0.14 }),
          Plot.line(ghosts, { ...facet, z: "z", x: "t", y: "v", stroke: "var(--ghost)", strokeWidth: 3 }),
          Plot.line(lines, { ...facet, z: "z", x: "t", y: "v", stroke: "color", strokeWidth: 1.7 }),
          Plot.dot(lines, { ...facet, x: "t", y: "v", r: 2, fill: "color" }),
          Plot.text(chosen, { fx: (d, i) => i % columns, fy: (d, i) => Math.floor(i / columns), text: (d) => charts.short(page.methods[d].name, letters), frameAnchor: "top-left", dy: -13, dx: -2, fontWeight: 600 }),
        ],
      },
      points,
    };
  });
});
