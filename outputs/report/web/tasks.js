"use strict";
report.makers.set("tasks", (host) => {
  const { page, state, at, methods, interval } = report;
  host.append(charts.ramp("0", "100"));
  charts.heat(host, "Score × 100", "of the chosen mode and scoring", () => {
    const points = report.data("leaderboard")[state.scoring];
    const columns = page.groups.map((g, i) => ({ ...g, i })).filter((g) => g.kind === "task" && page.methods.some((_, m) => at(points, state.mode, g.i, m)));
    const rows = methods().filter((m) => columns.some((g) => at(points, state.mode, g.i, m)));
    const cells = rows.flatMap((m, row) => columns.flatMap((g, column) => {
      const p = at(points, state.mode, g.i, m);
      return p ? [{ row, column, v: p.v, label: (100 * p.v).toFixed(0), text: `${page.methods[m].name} on ${g.name}\n${interval(p, 0.01, 1)}`, enter: () => queryList.only(m, g.i) }] : [];
    }));
    return { rows: rows.map((m) => page.methods[m].name), columns: columns.map((g) => g.name), cells, empty: "No chosen method was asked in this mode." };
  });
  host.querySelector("figure").insertAdjacentElement("afterend", report.el("p", { class: "lead" }, "The numbers with their intervals stand in the leaderboard's table, when a task is chosen above."));
});
