"use strict";
// What one query was asked and answered, and a list to choose from.
const queryList = (() => {
  const { page, state, el, changed } = report;
  let redraw = () => {};
  let host = null;

  // only shows the queries of a method and group of tasks, and goes there.
  function only(m, g) {
    if (!host) return;
    state.group = g;
    state.only = m;
    report.follow();
    changed();
    redraw();
    host.scrollIntoView({ block: "start" });
    host.querySelector("ol button")?.focus({ preventScroll: true });
  }

  // words cuts text into words, blanks and signs.
  const words = (s) => s.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  // diff marks what b lacks of a (del) and has beyond it (ins), by the longest common subsequence of words, or of letters where
  // both are a word or two. Texts too long to compare stay as they are.
  function diff(a, b) {
    let x = words(a);
    let y = words(b);
    if (x.length < 3 && y.length < 3) [x, y] = [[...a], [...b]];
    if (x.length * y.length > 4e5) return [document.createTextNode(b)];
    const length = Array.from({ length: x.length + 1 }, () => new Uint16Array(y.length + 1));
    for (let i = x.length - 1; i >= 0; i--) {
      for (let j = y.length - 1; j >= 0; j--) length[i][j] = x[i] === y[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
    const parts = [];
    const put = (kind, s) => {
      const last = parts[parts.length - 1];
      if (last?.kind === kind) last.s += s;
      else parts.push({ kind, s });
    };
    let [i, j] = [0, 0];
    while (i < x.length || j < y.length) {
      if (i < x.length && j < y.length && x[i] === y[j]) { put("", x[i++]); j++; }
      else if (j === y.length || (i < x.length && length[i + 1][j] >= length[i][j + 1])) put("del", x[i++]);
      else put("ins", y[j++]);
    }
    return parts.map((p) => (p.kind ? el(p.kind, {}, p.s) : document.createTextNode(p.s)));
  }

  const text = (title, ...kids) => el("div", {}, el("h4", {}, title), el("div", { class: "text", tabindex: 0, role: "group", "aria-label": title }, ...kids));

  function detail(d, i) {
    const T = d.texts;
    const [answer, prediction, other] = [T[d.answers[i]], T[d.prediction[i]], T[d.other[i]]];
    const score = (v) => (v < 0 ? "not compared" : (100 * v).toFixed(1));
    const box = el("div", { class: "query" });
    box.append(el("p", { class: "lead" }, `${d.kinds[d.kind[i]]} · status ${T[d.status[i]]} · fixed ${score(d.fixed[i])}, strict ${score(d.strict[i])}, full attention ${score(d.full[i])} · prompt ${d.prompt[i]} tokens, kept ${d.kept[i]}, KV cache ${(d.bytes[i] / 2 ** 20).toFixed(3)} MiB · ${page.methods[d.m[i]].spec}`));
    if (T[d.error[i]]) box.append(text("why it failed", T[d.error[i]]));
    box.append(el("div", { class: "pair" },
      text("gold answer", answer || "(none)"),
      text("prediction, compared with the answer: struck out is missing, marked is beyond it", ...(prediction || answer ? diff(answer, prediction) : ["(empty)"]))));
    if (d.full[i] >= 0) {
      box.append(el("div", { class: "pair" }, text("full attention answered", other || "(empty)"), text("prediction, compared with full attention's", ...diff(other, prediction))));
    }
    return box;
  }

  function row(d, i) {
    const name = page.methods[d.m[i]].name;
    const against = d.full[i] < 0 ? "" : ` / full ${(100 * d.full[i]).toFixed(0)}`;
    const short = ["lost", "gained", "failed", "otherwise", "wrong", "right"][d.kind[i]];
    const button = el("button", { type: "button", "aria-expanded": "false" },
      el("span", { class: `kind${d.kind[i]}` }, `${short} · turn ${d.turn[i]}`), el("span", {}, `${(100 * d.fixed[i]).toFixed(0)}${against}`),
      el("span", {}, `${name} · ${page.tasks[d.t[i]]}`), el("span", {}, d.texts[d.prediction[i]] || "(empty)"), el("span", {}, d.texts[d.example[i]]));
    const item = el("li", {}, button);
    const shut = () => { item.querySelector(".query")?.remove(); button.setAttribute("aria-expanded", "false"); };
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-expanded") === "true") { shut(); return; }
      item.append(detail(d, i));
      button.setAttribute("aria-expanded", "true");
    });
    item.addEventListener("keydown", (e) => {
      const to = { ArrowDown: item.nextElementSibling, ArrowUp: item.previousElementSibling }[e.key];
      if (e.key === "Escape") { shut(); button.focus(); }
      else if (to && e.target === button) { to.querySelector("button").focus(); e.preventDefault(); }
    });
    return item;
  }

  report.makers.set("queries", (section, d) => {
    host = section;
    let most = 25;
    const kinds = el("select", { onchange: () => { most = 25; redraw(); } }, el("option", { value: -1 }, "every kind"), ...d.kinds.map((k, i) => el("option", { value: i }, `${k} (${d.counts[i]})`)));
    const find = el("input", { type: "search", placeholder: "text of answers", oninput: () => { most = 25; redraw(); } });
    const which = el("span", {});
    const all = el("button", { type: "button", hidden: true, onclick: () => { delete state.only; redraw(); } });
    const list = el("ol", { class: "queries" });
    const more = el("button", { type: "button", onclick: () => { most += 100; redraw(); } }, "more");
    section.append(el("div", { class: "filters" }, el("label", {}, "kind ", kinds), el("label", {}, "find ", find), all, which), list, more);
    redraw = () => {
      const task = page.groups[state.group];
      const inGroup = new Set(task.tasks);
      const want = find.value.toLowerCase();
      const shown = [];
      for (let i = 0; i < d.m.length; i++) {
        if (d.b[i] !== state.mode || !inGroup.has(d.t[i]) || !(state.only === undefined ? state.methods.has(d.m[i]) : state.only === d.m[i])) continue;
        if (kinds.value >= 0 && d.kind[i] !== Number(kinds.value)) continue;
        if (want && ![d.prediction, d.answers, d.other].some((c) => d.texts[c[i]].toLowerCase().includes(want))) continue;
        shown.push(i);
      }
      all.hidden = state.only === undefined;
      if (state.only !== undefined) all.textContent = `only ${page.methods[state.only].name} ×`;
      all.setAttribute("aria-label", "show all chosen methods again");
      which.textContent = `${shown.length} of the ${d.m.length} queries that this page holds, of ${d3.sum(d.counts)}`;
      list.replaceChildren(...shown.slice(0, most).map((i) => row(d, i)));
      if (shown.length === 0) list.append(el("li", { class: "none" }, "No such query."));
      more.hidden = shown.length <= most;
    };
    report.drawn(section, redraw);
  });
  return { only };
})();
