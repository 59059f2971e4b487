"use strict";
report.makers.set("retention", (host, data) => {
  const { page, state, el } = report;
  const choice = el("select", { id: "kept-method", onchange: () => report.redraw(host) });
  host.append(el("div", { class: "filters" }, el("label", {}, "method ", choice)), charts.ramp("0 % kept", "100 %"));
  const grid = el("div", { class: "charts" });
  host.append(grid);
  // chosen is the map of the chosen method, of the chosen tasks or, where they have none of their own, of all.
  function chosen() {
    const maps = data.maps.filter((m) => m.b === state.mode);
    const have = [...new Set(maps.map((m) => m.m))].filter((m) => state.methods.has(m));
    const was = Number(choice.value || -1);
    choice.replaceChildren(...have.map((m) => el("option", { value: m }, page.methods[m].name)));
    if (have.length === 0) return null;
    const now = have.includes(was) ? was : have[0];
    choice.value = now;
    return maps.find((m) => m.m === now && m.g === state.group) ?? maps.find((m) => m.m === now);
  }
  const percent = (v) => `${(100 * v).toFixed(1)} %`;
  const none = "No chosen method dropped tokens in this mode, or the rows do not say which.";
  const layers = (map) => d3.range(map.layers).map((l) => `layer ${l}`);
  charts.heat(grid, "Kept by each layer and head", "share of the prompt's tokens", () => {
    const map = chosen();
    if (!map) return { rows: [], columns: [], cells: [], empty: none };
    const each = map.heads.length / map.layers;
    const cells = map.heads.map((v, i) => ({ row: Math.floor(i / each), column: i % each, v, label: (100 * v).toFixed(0),
      text: `${page.methods[map.m].name}, ${page.groups[map.g].name}\nlayer ${Math.floor(i / each)}, head ${i % each}: ${percent(v)} kept (mean of ${map.n} contexts)` }));
    return { rows: layers(map), columns: d3.range(each).map((h) => `head ${h}`), cells };
  });
  charts.heat(grid, "Kept of each part of the prompt", "left: start, right: end; mean over heads", () => {
    const map = chosen();
    if (!map) return { rows: [], columns: [], cells: [], empty: none };
    const cells = map.places.map((v, i) => ({ row: Math.floor(i / data.parts), column: i % data.parts, v,
      text: `${page.methods[map.m].name}, ${page.groups[map.g].name}\nlayer ${Math.floor(i / data.parts)}, part ${1 + (i % data.parts)} of ${data.parts}: ${percent(v)} kept (mean of ${map.n} contexts)` }));
    return { rows: layers(map), columns: d3.range(data.parts).map((x) => (x % 8 ? "" : `${(100 * x) / data.parts} %`)), cells, plainColumns: true };
  });
});
