"use strict";
report.makers.set("drift", (host, data) => {
  const { el, interval } = report;
  const hues = ["var(--accent)", "var(--warm)", "var(--good)", "var(--ghost)"];
  const shade = (i, n) => (n <= 3 ? hues[i] : d3.interpolateTurbo(0.08 + (0.84 * i) / Math.max(n - 1, 1)));
  const grid = el("div", { class: "charts" });
  host.append(grid);

  // lines draws one quantity a line over named places.
  const lines = (title, note, series, ticks, most) => {
    if (series.length === 0) return;
    const figure = charts.chart(grid, title, note, (width) => {
      const all = series.flatMap((s, i) => s.v.flatMap((v, x) => (v == null ? [] : [{ s, i, x, y: 100 * v, lo: 100 * (s.lo?.[x] ?? v), hi: 100 * (s.hi?.[x] ?? v) }])));
      const color = (d) => shade(d.i, series.length);
      const top = most ?? Math.ceil(d3.max(all, (d) => d.y) / 5) * 5;
      const each = Math.ceil((ticks.length * 44) / width);
      return {
        options: {
          height: 230, marginLeft: 30, marginRight: 18, marginTop: 8, marginBottom: 24,
          x: { domain: [-0.2, ticks.length - 0.8], ticks: d3.range(ticks.length).filter((i) => i % each === 0), tickFormat: (i) => ticks[i], label: null, tickSize: 0 },
          y: { domain: [0, top], label: null, tickSize: 0, grid: true, ticks: 4 },
          color: { type: "identity" },
          marks: [
            Plot.areaY(all, { z: "i", x: "x", y1: "lo", y2: (d) => Math.min(d.hi, top), fill: color, fillOpacity: 0.1 }),
            Plot.line(all, { z: "i", x: "x", y: "y", stroke: color, strokeWidth: 1.8 }),
            Plot.dot(all, { x: "x", y: "y", r: 2.6, fill: color }),
          ],
        },
        points: all.map((d) => {
          const p = { v: d.s.v[d.x], lo: d.s.lo?.[d.x], hi: d.s.hi?.[d.x], n: d.s.n?.[d.x], k: d.s.k?.[d.x] };
          const what = p.n == null ? `${d.y.toFixed(1)}` : interval(p, 0.01, 1).replace(/session/, "prompt");
          return { x: d.x, y: d.y, text: `${d.s.name}, ${ticks[d.x]}\n${what}${d.s.doc ? "\n" + d.s.doc : ""}` };
        }),
      };
    });
    const legend = el("div", { class: "filters", "aria-hidden": "true" });
    series.forEach((s, i) => legend.append(el("span", {}, charts.stroke(shade(i, series.length)), " " + s.name)));
    figure.querySelector("figcaption").after(legend);
  };
  const tokens = "by generated token, from 0";
  lines("How far attention moves from prefill", tokens, data.moved, data.buckets, 100);
  lines("What methods still read of it", tokens, data.read, data.buckets, 100);
  lines("What methods still read of what falls on the prompt", tokens, data.prompt, data.buckets, 100);
  const far = d3.max(data.distance, (d) => d.v?.length ?? 0);
  const distances = d3.range(far).map((i) => (i === 0 ? "0" : i > 10 ? `${2 ** (i - 11)}K` : String(2 ** (i - 1))));
  lines("How far back attention looks", "share by distance in tokens, a line for each range of generated tokens", data.distance.map((d) => ({ ...d, v: d.v ?? [] })), distances);
});
