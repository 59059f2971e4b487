"use strict";
report.makers.set("run", (host, data) => {
  if (!data.bars?.length) return;
  charts.chart(host, "Tokens of first prompts", "computed, against what sharing nothing would compute and the least that would do", (width) => {
    const names = data.bars.map((b) => (data.bars.length > 3 ? `${b.run}: ${b.name}` : b.name));
    const g = charts.gutter(names, width);
    const rows = charts.labels(names, g.letters);
    const fill = { computed: "var(--accent)", bound: "var(--good)" };
    return {
      options: {
        height: names.length * 24 + 44, marginLeft: g.room, marginRight: 78, marginTop: 6, marginBottom: 34,
        x: { label: null, grid: true, ticks: 4, tickFormat: "~s" },
        y: { domain: d3.range(names.length), axis: null, padding: 0.2 },
        marks: [
          Plot.barX(data.bars, { x: "n", y: (d, i) => i, fill: (d) => fill[d.name] ?? "var(--ghost)" }),
          Plot.text(rows, { frameAnchor: "left", y: (d, i) => i, text: (d) => d, textAnchor: "end", dx: -8 }),
          Plot.text(data.bars, { x: "n", y: (d, i) => i, text: (d) => d.n.toLocaleString("en"), textAnchor: "start", dx: 5 }),
        ],
      },
      points: data.bars.map((b, i) => ({ x: b.n, y: i, text: `${b.run}\n${b.name}: ${b.n.toLocaleString("en")} tokens` })),
    };
  });
});
