"use strict";
report.makers.set("leaderboard", (host, data) => {
  const { page, state, at, methods, interval } = report;
  charts.chart(host, "Score × 100", "of the chosen tasks and mode; methods by score; *: asked fewer of the tasks", (width) => {
    const main = data[state.scoring];
    const too = state.scoring === "fixed" ? data.strict : data.fixed;
    const hidden = new Set(data.withheld.filter(([b, g]) => b === state.mode && g === state.group).map(([, , m]) => m));
    const rows = methods().filter((m) => !hidden.has(m)).map((m) => ({ m, p: at(main, state.mode, state.group, m), q: at(too, state.mode, state.group, m) })).filter((r) => r.p);
    if (rows.length === 0) return { empty: hidden.size ? "More than 5 % of the queries of each chosen method failed: no headline." : "No chosen method answered these tasks in this mode." };
    rows.sort((a, b) => b.p.v - a.p.v || a.m - b.m);
    const fewer = new Map(data.partial.filter(([b, g]) => b === state.mode && g === state.group).map(([, , m, n]) => [m, n]));
    const full = rows.map((r) => (fewer.has(r.m) ? "* " : "") + page.methods[r.m].name);
    const g = charts.gutter(full, width);
    const names = charts.labels(full, g.letters);
    const dots = rows.map((r, i) => ({ i, x: 100 * r.p.v, lo: 100 * r.p.lo, hi: 100 * r.p.hi, ok: r.p.lo != null, too: r.q ? 100 * r.q.v : null }));
    return {
      options: {
        height: rows.length * 20 + 50, marginLeft: g.room, marginRight: 14, marginTop: 10, marginBottom: 38,
        x: { domain: [0, 100], label: null, grid: true, ticks: 5 },
        y: { domain: d3.range(rows.length), axis: null, padding: 0.2 },
        marks: [
          Plot.text(names, { frameAnchor: "left", y: (d, i) => i, text: (d) => d, textAnchor: "end", dx: -8 }),
          Plot.ruleY(dots.filter((d) => d.ok), { y: "i", x1: "lo", x2: "hi", stroke: "var(--accent)", strokeWidth: 2, strokeOpacity: 0.65 }),
          Plot.dot(dots, { x: "too", y: "i", r: 5, stroke: "var(--pale)" }),
          Plot.dot(dots, { x: "x", y: "i", r: 3.5, fill: "var(--accent)" }),
        ],
      },
      points: rows.map((r, i) => ({
        x: 100 * r.p.v, y: i,
        text: `${page.methods[r.m].name}\n${state.scoring}: ${interval(r.p, 0.01, 1)}\n${state.scoring === "fixed" ? "strict" : "fixed"}: ${r.q ? interval(r.q, 0.01, 1) : "–"}${fewer.has(r.m) ? `\n* asked ${fewer.get(r.m)} of the tasks only: compare it with methods asked the same` : ""}\n${page.methods[r.m].spec}`,
        enter: () => queryList.only(r.m, state.group),
      })),
    };
  });
});
