"use strict";
// Puts the page together: head, choices, sections with their tables.
(() => {
  const { page, state, makers, drawers, el, changed, drawn, say } = report;

  for (const [name, value] of page.facts) document.getElementById("facts").append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));

  document.getElementById("notes").append(...page.notes.map((n) => el("li", {}, n)));

  // A dark and a light page; the system's choice until the reader makes one.
  const theme = document.getElementById("theme");
  const wear = (t) => {
    if (t) document.documentElement.dataset.theme = t;
    else delete document.documentElement.dataset.theme;
    theme.textContent = `theme: ${t || "system"}`;
  };
  let worn = "";
  try { worn = localStorage.getItem("scbench-theme") ?? ""; } catch { /* a page from a file may have no store */ }
  wear(worn);
  theme.addEventListener("click", () => {
    worn = { "": "dark", dark: "light", light: "" }[worn];
    wear(worn);
    try { localStorage.setItem("scbench-theme", worn); } catch { /* as above */ }
  });

  // The choices that all sections follow.
  const controls = document.getElementById("controls");
  const select = (label, id, names, choose) => {
    const box = el("select", { id, onchange: () => { choose(box.value); delete state.only; changed(); say(`${label}: ${box.selectedOptions[0].textContent}`); } }, ...names);
    controls.append(el("label", {}, label, box));
    return box;
  };
  select("mode", "mode", page.modes.map((n, i) => el("option", { value: i }, n)), (v) => { state.mode = Number(v); });
  const kinds = { all: "together", skill: "skills", task: "tasks" };
  const group = select("tasks", "group", Object.entries(kinds).flatMap(([kind, label]) => {
    const own = page.groups.map((g, i) => (g.kind === kind ? el("option", { value: i }, g.name) : null)).filter(Boolean);
    return own.length ? [el("optgroup", { label }, ...own)] : [];
  }), (v) => { state.group = Number(v); });
  group.value = 0;
  report.follow = () => { group.value = state.group; };
  select("scoring", "scoring", ["fixed", "strict"].map((s) => el("option", { value: s }, s)), (v) => { state.scoring = v; });

  const summary = el("summary", {});
  const boxes = page.methods.map((m, i) => el("label", { title: m.spec }, el("input", { type: "checkbox", checked: true, onchange: (e) => { e.target.checked ? state.methods.add(i) : state.methods.delete(i); chose(); } }), " " + m.name));
  const chose = () => { delete state.only; summary.textContent = `methods: ${state.methods.size} of ${page.methods.length}`; changed(); };
  const every = (on) => () => {
    boxes.forEach((b, i) => { if (!b.hidden) { b.firstChild.checked = on; on ? state.methods.add(i) : state.methods.delete(i); } });
    chose();
  };
  const filter = el("input", { type: "search", placeholder: "filter", "aria-label": "filter methods", oninput: () => boxes.forEach((b, i) => { b.hidden = !page.methods[i].spec.toLowerCase().includes(filter.value.toLowerCase()); }) });
  const pick = el("details", { class: "pick", id: "methods" }, summary, el("div", {}, el("div", { class: "row" }, filter, el("button", { type: "button", onclick: every(true) }, "all"), el("button", { type: "button", onclick: every(false) }, "none")), ...boxes));
  controls.append(pick);
  summary.textContent = `methods: ${page.methods.length} of ${page.methods.length}`;
  pick.addEventListener("keydown", (e) => { if (e.key === "Escape") { pick.open = false; summary.focus(); } });
  document.addEventListener("click", (e) => { if (!pick.contains(e.target)) pick.open = false; });

  // A table shows the rows of what is chosen; a click on a head sorts.
  function table(host, t, open) {
    const body = el("tbody");
    let by = t.columns.findIndex((c) => c.h === t.by);
    let down = true;
    let most = 60;
    const heads = t.columns.map((c, i) => el("th", { class: c.n ? "n" : null, title: c.d || null, scope: "col" }, el("button", { type: "button", onclick: () => {
      down = by === i ? !down : Boolean(c.n);
      by = i;
      draw();
    } }, c.h)));
    const more = el("button", { type: "button", onclick: () => { most = Infinity; draw(); } });
    const defined = t.columns.filter((c) => c.d);
    const count = el("summary", {}, t.caption);
    const fold = el("details", { class: "table", open, id: `table-${t.name}` }, count, el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t.caption }, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body)), more,
      defined.length ? el("details", { class: "defs" }, el("summary", {}, "what the columns say"), el("dl", { class: "defs" }, ...defined.flatMap((c) => [el("dt", {}, c.h), el("dd", {}, c.d)]))) : null);
    host.append(fold);
    const cell = (i, row) => t.texts[t.cells[i][row]];
    const key = (i, row) => (t.columns[i].n ? Number.parseFloat(cell(i, row)) : cell(i, row));
    function draw() {
      const rows = [];
      for (let r = 0; r < t.b.length; r++) {
        if ((t.b[r] < 0 || t.b[r] === state.mode) && (t.g[r] < 0 || t.g[r] === state.group) && (t.m[r] < 0 || state.methods.has(t.m[r]))) rows.push(r);
      }
      if (by >= 0) {
        rows.sort((a, b) => {
          const [x, y] = [key(by, a), key(by, b)];
          if (t.columns[by].n && (Number.isNaN(x) || Number.isNaN(y))) return Number.isNaN(x) - Number.isNaN(y); // none: last
          return (x < y ? -1 : x > y ? 1 : a - b) * (down ? -1 : 1);
        });
      }
      heads.forEach((h, i) => (i === by ? h.setAttribute("aria-sort", down ? "descending" : "ascending") : h.removeAttribute("aria-sort")));
      count.textContent = `${t.caption} (${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
      if (fold.open) body.replaceChildren(...rows.slice(0, most).map((r) => el("tr", {}, ...t.columns.map((c, i) => el("td", { class: c.n ? "n" : null }, cell(i, r))))));
      more.hidden = rows.length <= most;
      more.textContent = `all ${rows.length} rows`;
    }
    fold.addEventListener("toggle", draw);
    drawn(fold, draw);
  }

  report.redraw = (host) => drawers.filter((d) => host.contains(d.host)).forEach((d) => { d.stale = true; if (d.seen) report.fresh(d); });

  const main = document.getElementById("main");
  const contents = document.getElementById("contents");
  for (const s of page.sections) {
    const host = el("section", { id: s.id, "aria-labelledby": `${s.id}-title` }, el("h2", { id: `${s.id}-title` }, s.title), el("p", { class: "lead" }, s.lead));
    main.append(host);
    contents.append(el("a", { href: `#${s.id}` }, s.title));
    const into = el("div");
    host.append(into);
    if (s.data) makers.get(s.id)?.(into, s.data);
    s.tables.forEach((t, i) => table(host, t, ["leaderboard", "findings", "run"].includes(s.id) && i === 0));
  }
  document.documentElement.dataset.ready = "yes";
})();
