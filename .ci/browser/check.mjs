// Opens a report in Debian's Chromium from file://, as a user would, and walks through all of it: every chart by key and by pointer,
// every choice, every table, a query's details. There must be no error on the console and no request beyond the page itself.
//
//   npm ci --prefix .ci/browser
//   node .ci/browser/check.mjs outputs/runs/<id>/report.html [folder for screenshots]
//
// Exits 1 at the first fault, 3 where no Chromium can be found.
import { existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page, shots] = process.argv.slice(2);
if (!page) {
  console.error("usage: node check.mjs report.html [screenshots]");
  process.exit(2);
}
const executablePath = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((p) => p && existsSync(p));
if (!executablePath) {
  console.error("check: no Chromium here (apt-get install chromium, or name one in CHROMIUM)");
  process.exit(3);
}
const url = pathToFileURL(resolve(page)).href;
if (shots) mkdirSync(shots, { recursive: true });

const fail = (message) => {
  console.error(`check: ${message}`);
  process.exit(1);
};
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });

// open loads the page and watches it.
async function open(width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" });
  const tab = await context.newPage();
  const faults = [];
  tab.on("console", (m) => m.type() === "error" || m.type() === "warning" ? faults.push(`console: ${m.text()}`) : null);
  tab.on("pageerror", (e) => faults.push(`error: ${e.message}`));
  tab.on("request", (r) => r.url() !== url && !r.url().startsWith("data:") ? faults.push(`request: ${r.url()}`) : null);
  const start = Date.now();
  await tab.goto(url);
  const ready = () => document.documentElement.dataset.ready === "yes" && document.querySelector("#leaderboard .chart svg, #leaderboard .none");
  await tab.waitForFunction(ready, null, { timeout: 20000 }).catch(() => fail(`the page is not ready after 20 s\n${faults.join("\n")}`));
  return { context, tab, faults, ms: Date.now() - start };
}

// settled lets everything in sight be drawn.
const settled = (tab) => tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30))));

async function walkCharts(tab) {
  const boxes = tab.locator(".chart");
  const n = await boxes.count();
  let drawn = 0;
  for (let i = 0; i < n; i++) {
    const box = boxes.nth(i);
    await box.scrollIntoViewIfNeeded();
    await settled(tab);
    const label = await box.getAttribute("aria-label");
    if (!label) fail(`chart ${i + 1} has no label`);
    if ((await box.locator("svg").count()) === 0) continue;
    drawn++;
    await box.focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "End", "Home"]) await tab.keyboard.press(key);
    const tip = box.locator(".tip");
    if (!(await tip.isVisible()) || (await tip.textContent()).trim() === "") fail(`${label}: keys show no point`);
    if ((await tab.locator("#say").textContent()).trim() === "") fail(`${label}: nothing is said of a point`);
    await tab.keyboard.press("Escape");
    if (await tip.isVisible()) fail(`${label}: Escape leaves the note`);
    const spots = await box.evaluate((b) => [...b.querySelectorAll("svg circle, svg rect, svg path")].length);
    if (spots === 0) fail(`${label}: the picture is empty`);
    const area = await box.boundingBox();
    const view = tab.viewportSize();
    if (area.x < -1 || area.x + area.width > view.width + 1) fail(`${label}: it is wider than the page`);
    for (const [fx, fy] of [[0.5, 0.5], [0.6, 0.3], [0.7, 0.7]]) await tab.mouse.move(area.x + area.width * fx, Math.min(area.y + area.height * fy, view.height - 2));
    await tab.mouse.move(1, 1);
  }
  return { n, drawn };
}

const wide = async (tab) => {
  const over = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (over > 0) fail(`the page is ${over} pixels wider than the window`);
};

const { context, tab, faults, ms } = await open(1280, "light");
const charts = await walkCharts(tab);
if (charts.drawn < 6) fail(`only ${charts.drawn} of ${charts.n} charts are drawn`);
await wide(tab);

// Every choice, and what follows from it.
for (const id of ["mode", "group", "scoring", "kept-method"]) {
  const box = tab.locator(`#${id}`);
  if ((await box.count()) === 0) continue;
  const values = await box.locator("option").evaluateAll((all) => all.map((o) => o.value));
  for (const v of [...values].reverse()) {
    await box.selectOption(v);
    await settled(tab);
  }
}
await tab.locator("#table-leaderboard").scrollIntoViewIfNeeded();
await settled(tab);
const before = await tab.locator("#table-leaderboard tbody tr").count();
await tab.locator("#methods summary").click();
await tab.locator("#methods input[type=search]").fill("full");
await tab.locator("#methods button", { hasText: "none" }).click();
await tab.locator("#table-leaderboard").scrollIntoViewIfNeeded();
await settled(tab);
const after = await tab.locator("#table-leaderboard tbody tr").count();
if (!(after < before)) fail(`the filter leaves ${after} of ${before} rows`);
await tab.locator("#methods button", { hasText: "all" }).click();
await tab.keyboard.press("Escape");

// Tables unfold and sort.
for (const fold of await tab.locator("details.table").all()) {
  await fold.scrollIntoViewIfNeeded();
  if ((await fold.getAttribute("open")) === null) await fold.locator("summary").first().click();
  await settled(tab);
  const head = fold.locator("th button");
  for (let i = 0; i < Math.min(await head.count(), 4); i++) await head.nth(i).click();
  if ((await fold.locator("tbody tr").count()) === 0) fail(`${await fold.getAttribute("id")} is empty`);
}

// A query, by keyboard alone.
const first = tab.locator("ol.queries li button").first();
await first.focus();
await tab.keyboard.press("Enter");
if ((await tab.locator(".query .text").count()) < 2) fail("a query shows no answer and prediction");
await tab.keyboard.press("ArrowDown");
await first.focus();
await tab.keyboard.press("Escape");
if ((await tab.locator(".query").count()) !== 0) fail("Escape does not close a query");
await tab.locator("#queries input[type=search]").fill("zzzz no such text zzzz");
await settled(tab);
if ((await tab.locator("#queries .none").count()) !== 1) fail("the search of queries finds what is not there");
await tab.locator("#queries input[type=search]").fill("");
for (const v of await tab.locator("#queries select").locator("option").evaluateAll((all) => all.map((o) => o.value))) await tab.locator("#queries select").selectOption(v);
await tab.locator("#queries select").selectOption("-1");

// From a cell of a chart to its queries.
const chart = tab.locator("#leaderboard .chart");
await chart.focus();
await tab.keyboard.press("ArrowDown");
await tab.keyboard.press("Enter");
await settled(tab);
if (!(await tab.locator("#queries .filters button").isVisible())) fail("Enter on a chart does not choose its queries");
await tab.locator("#queries .filters button").click();

for (let i = 0; i < 3; i++) await tab.locator("#theme").click();
await tab.emulateMedia({ media: "print" });
await tab.evaluate(() => dispatchEvent(new Event("beforeprint")));
await settled(tab);
if (shots) await tab.pdf({ path: join(shots, "print.pdf"), printBackground: false }).catch((e) => console.error(`no PDF: ${e.message}`));
if (faults.length) fail(faults.join("\n"));
await context.close();

for (const width of [1280, 390]) {
  for (const colorScheme of ["light", "dark"]) {
    const one = await open(width, colorScheme);
    const seen = await walkCharts(one.tab);
    await wide(one.tab);
    if (shots) {
      const query = one.tab.locator("ol.queries li button").first();
      if (await query.count()) await query.click();
      await one.tab.evaluate(() => scrollTo(0, 0));
      await one.tab.screenshot({ path: join(shots, `${width}-${colorScheme}.png`) });
      for (const section of await one.tab.locator("main > section").all()) {
        await section.screenshot({ path: join(shots, `${width}-${colorScheme}-${await section.getAttribute("id")}.png`) });
      }
    }
    if (one.faults.length) fail(`${width}, ${colorScheme}: ${one.faults.join("\n")}`);
    console.log(`${width} px, ${colorScheme}: ${seen.drawn} of ${seen.n} charts`);
    await one.context.close();
  }
}
await browser.close();
console.log(`ok: interactive after ${ms} ms, ${charts.drawn} charts walked through, no error and no request`);
