"use strict";
report.makers.set("depth", (host, data) => {
  const { page, state, at, methods, interval } = report;
  host.append(charts.ramp("0", "100"));
  charts.heat(host, "Fixed score × 100 by the place of the evidence", "left: start of the context, right: its end", () => {
    const rows = methods().filter((m) => d3.range(data.parts).some((x) => at(data.points, state.mode, state.group, m, x)));
    const names = d3.range(data.parts).map((x) => `${(100 * x) / data.parts}–${(100 * (x + 1)) / data.parts} %`);
    const cells = rows.flatMap((m, row) => names.flatMap((name, column) => {
      const p = at(data.points, state.mode, state.group, m, column);
      return p ? [{ row, column, v: p.v, label: (100 * p.v).toFixed(0), text: `${page.methods[m].name}, evidence at ${name} of the context\n${interval(p, 0.01, 1)}` }] : [];
    }));
    return { rows: rows.map((m) => page.methods[m].name), columns: names, cells, empty: "Of these tasks it is not known where the evidence stands." };
  });
});
