"use strict";
// Charts: drawn by Observable Plot at the width there is; pointer and keys walk their points, a note says what a point is.
const charts = (() => {
  const { el, say, page, drawn } = report;
  const keys = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

  // chart adds a figure. make(width) returns { options, points, empty }: options of Plot.plot, points { x, y, fx, fy, text, enter }
  // in the values of its scales, or what to say where there is nothing.
  function chart(host, title, note, make) {
    const box = el("div", { class: "chart", tabindex: 0, role: "application", "aria-roledescription": "chart" });
    const caption = el("figcaption", {}, title, note ? el("small", {}, " " + note) : null);
    const figure = el("figure", {}, caption, box);
    host.append(figure);
    let points = [];
    let current = -1;
    const tip = el("div", { class: "tip", hidden: true });
    const spot = el("div", { class: "spot", hidden: true });
    const hide = () => { current = -1; tip.hidden = spot.hidden = true; };
    // at says what a point is, and which others lie on it.
    function at(p) {
      const others = points.filter((q) => q !== p && Math.hypot(q.px - p.px, q.py - p.py) < 4).map((q) => q.text.split("\n")[0]);
      const more = others.length > 8 ? `, and ${others.length - 8} more` : "";
      return others.length ? `${p.text}\nalso here: ${others.slice(0, 8).join("; ")}${more}` : p.text;
    }
    function show(i, spoken) {
      current = i;
      const p = points[i];
      const text = at(p);
      tip.textContent = text;
      tip.hidden = spot.hidden = false;
      spot.style.left = `${p.px}px`;
      spot.style.top = `${p.py}px`;
      const right = Math.max(0, Math.min(p.px + 12, box.clientWidth - tip.offsetWidth - 2));
      tip.style.left = `${right}px`;
      const above = p.py - tip.offsetHeight - 12;
      tip.style.top = `${above > -40 ? above : p.py + 14}px`;
      if (spoken) say(text);
    }
    function nearest(x, y) {
      let best = -1;
      let least = Infinity;
      points.forEach((p, i) => {
        const d = (p.px - x) ** 2 + (p.py - y) ** 2;
        if (d < least) [least, best] = [d, i];
      });
      return least < 60 ** 2 ? best : -1;
    }
    // beyond finds the next point in a direction: the nearest, where what lies aside counts thrice.
    function beyond(from, [dx, dy]) {
      const o = points[from];
      let best = from;
      let least = Infinity;
      points.forEach((p, i) => {
        const along = (p.px - o.px) * dx + (p.py - o.py) * dy;
        const aside = Math.abs((p.px - o.px) * dy) + Math.abs((p.py - o.py) * dx);
        if (along > 0.5 && along + 3 * aside < least) [least, best] = [along + 3 * aside, i];
      });
      return best;
    }
    box.addEventListener("pointermove", (e) => {
      const r = box.getBoundingClientRect();
      const i = nearest(e.clientX - r.left, e.clientY - r.top);
      if (i < 0) hide();
      else if (i !== current) show(i, false);
    });
    box.addEventListener("pointerleave", hide);
    box.addEventListener("click", () => { if (current >= 0) points[current].enter?.(); });
    box.addEventListener("blur", hide);
    box.addEventListener("keydown", (e) => {
      if (e.key === "Escape") { hide(); return; }
      if (e.key === "Enter" && current >= 0) { points[current].enter?.(); return; }
      if (points.length === 0) return;
      if (keys[e.key]) show(current < 0 ? 0 : beyond(current, keys[e.key]), true);
      else if (e.key === "Home") show(0, true);
      else if (e.key === "End") show(points.length - 1, true);
      else return;
      e.preventDefault();
    });
    drawn(figure, () => {
      hide();
      const width = box.clientWidth;
      const made = make(width);
      points = [];
      if (made.empty) {
        box.replaceChildren(el("p", { class: "none" }, made.empty));
        box.setAttribute("aria-label", `${title}: ${made.empty}`);
        return;
      }
      const options = { width, className: page.class, ...made.options };
      options.style = { background: "transparent", fontSize: "11px", overflow: "visible" };
      const svg = Plot.plot(options);
      points = made.points.map((p) => place(svg, options, p));
      svg.setAttribute("aria-hidden", "true");
      box.replaceChildren(svg, spot, tip);
      box.setAttribute("aria-label", `${title}. ${points.length} points; arrow keys walk them, Escape leaves${made.points[0]?.enter ? ", Enter shows the queries behind one" : ""}.`);
    });
    return figure;
  }

  // place says where a point lies in the picture.
  function place(svg, options, p) {
    const on = (name, v) => {
      const s = v === undefined ? null : svg.scale(name);
      return s ? s.apply(v) + (s.bandwidth ?? 0) / 2 : null;
    };
    const left = (name, v, margin) => (v === undefined ? 0 : svg.scale(name).apply(v) - margin);
    return {
      ...p,
      px: on("x", p.x) + left("fx", p.fx, options.marginLeft),
      py: on("y", p.y) + left("fy", p.fy, options.marginTop),
    };
  }

  // short cuts a name to so many letters.
  const short = (s, n) => (s.length <= n ? s : s.slice(0, Math.max(1, n - 1)) + "…");
  // gutter is the room for row names, and how many letters fit.
  function gutter(names, width) {
    const most = Math.max(...names.map((n) => n.length), 4);
    const room = Math.min(most * 6.3 + 14, width * 0.36, 230);
    return { room, letters: Math.floor((room - 12) / 6.2) };
  }
  // unlike keeps cut names apart: equal ones get their number.
  function labels(names, letters) {
    const cut = names.map((n) => short(n, letters));
    return cut.map((n, i) => (cut.indexOf(n) === i ? n : short(names[i], letters - 2) + ` ${i}`));
  }

  const inkOn = (fill) => {
    const c = d3.rgb(fill);
    return 0.299 * c.r + 0.587 * c.g + 0.114 * c.b > 140 ? "#1f2328" : "#ffffff";
  };

  // heat is a map of cells { row, column, v in [0, 1], label, text, enter }.
  function heat(host, title, note, make) {
    return chart(host, title, note, (width) => {
      const m = make(width);
      if (m.cells.length === 0) return { empty: m.empty };
      const g = gutter(m.rows, width);
      const rows = labels(m.rows, g.letters);
      const flat = (width - g.room - 4) / m.columns.length;
      const longest = Math.max(...m.columns.map((c) => c.length));
      const turned = !m.plainColumns && longest * 6.4 > flat - 2 && flat < 64; // wider columns cut their names
      const angle = flat < 21 ? 60 : 40;
      const [sin, cos] = [Math.sin((angle * Math.PI) / 180), Math.cos((angle * Math.PI) / 180)];
      const letters = turned ? 14 : m.plainColumns ? 9 : Math.floor(flat / 6.3);
      const long = (name) => Math.min(name.length, letters) * 6.4;
      const right = turned ? Math.max(4, ...m.columns.map((c, i) => long(c) * cos + 6 - flat * (m.columns.length - i - 0.5))) : 4; // for names that lean over the edge
      const each = (width - g.room - right) / m.columns.length;
      const top = turned ? Math.max(...m.columns.map(long)) * sin + 16 : 22;
      const cells = m.cells.map((c) => ({ ...c, fill: d3.interpolateViridis(Math.max(0, Math.min(1, c.v))) }));
      const high = m.height ?? 21;
      return {
        options: {
          height: top + m.rows.length * high + 6, marginLeft: g.room, marginTop: top, marginRight: right, marginBottom: 6,
          x: { domain: d3.range(m.columns.length), axis: null, padding: m.plainColumns ? 0 : 0.04 },
          y: { domain: d3.range(m.rows.length), axis: null, padding: 0.06 },
          color: { type: "identity" },
          marks: [
            Plot.cell(cells, { x: "column", y: "row", fill: "fill", inset: 0 }),
            each > 19 && !m.plainColumns ? Plot.text(cells, { x: "column", y: "row", text: "label", fill: (d) => inkOn(d.fill), fontSize: each < 26 ? 9 : 11 }) : null,
            Plot.text(rows, { frameAnchor: "left", y: (d, i) => i, text: (d) => d, textAnchor: "end", dx: -6, x: null }),
            Plot.text(m.columns, { x: (d, i) => i, text: (d) => short(d, letters), frameAnchor: "top", dy: turned ? -6 : -8, dx: turned ? 2 : 0,
              rotate: turned ? -angle : 0, textAnchor: turned ? "start" : "middle" }),
          ],
        },
        points: cells.map((c) => ({ x: c.column, y: c.row, text: c.text, enter: c.enter })),
      };
    });
  }

  const ramp = (low, high) => el("div", { class: "ramp", "aria-hidden": "true" }, low, el("i"), high);

  // stroke is a sample of a colour for a legend.
  const stroke = (color) => {
    const sample = el("i");
    sample.style.cssText = `display:inline-block;width:16px;height:3px;border-radius:2px;vertical-align:middle;background:${color}`;
    return sample;
  };
  // ticks are round values of a logarithmic scale, few enough to read.
  function ticks([low, high]) {
    const decades = Math.log10(high / low);
    const steps = decades > 2.5 ? [1] : decades > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
    const all = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1).flatMap((p) => steps.map((m) => m * 10 ** p));
    return all.filter((v) => v >= low && v <= high);
  }

  return { chart, heat, ramp, gutter, labels, short, stroke, ticks };
})();
