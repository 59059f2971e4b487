// Runs examples/tables.sql over a run, and over its partitioned copy, in DuckDB, and compares every figure with what scbench
// show --paper prints of the run.
//
//   scbench show --paper outputs/runs/<id> > paper.txt
//   node .ci/duckdb/tables.mjs examples/tables.sql paper.txt outputs/runs/<id>/results.parquet 'DIR/results/**/*.parquet'
//
// Exits 1 at the first figure that differs by more than its rounding, or that only one of the two has.
import { readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";

const [sqlPath, paperPath, ...sources] = process.argv.slice(2);
if (sources.length === 0) {
  console.error("usage: node tables.mjs tables.sql paper.txt results.parquet…");
  process.exit(2);
}
const fail = (message) => {
  console.error(`tables: ${message}`);
  process.exit(1);
};

// The figures of the printed tables, by what they are of.
function printed(text) {
  const figures = new Map();
  const specs = new Map(); // of the legend: short name, spec
  let last; // short name
  const lines = text.split("\n");
  for (const line of lines) {
    const legend = line.match(/^(\S.*?)\s{2,}(\S+:\S+)$/);
    if (legend) specs.set((last = legend[1]), legend[2]);
    const rest = line.match(/^\s+(\S+)$/); // of a spec that is longer than a line
    if (rest && specs.get(last)?.endsWith(",")) specs.set(last, specs.get(last) + rest[1]);
  }
  const spec = (name) => specs.get(name) ?? name;
  let block = null;
  let columns = [];
  for (const line of lines) {
    const title = line.match(/^(multi-turn|multi-request|single-turn)(?:, (\S+) history)?$/);
    const cells = line.trim().split(/\s{2,}/);
    if (title) block = [title[1], title[2] ?? "none"];
    else if (line.startsWith("Scores") || line.startsWith("As the paper")) block = null;
    else if (!block || line.trim() === "") columns = [];
    else if (cells[0] === "method" || (cells[0] === "task" && cells[1] === "method")) columns = cells;
    else if (columns.length !== cells.length) continue;
    else {
      const labels = columns[0] === "task" ? 2 : 1;
      for (let i = labels; i < cells.length; i++) {
        const figure = cells[i].match(/^(-?[0-9.]+)(?: \((\d+)\))?$/);
        if (!figure) continue;
        const what = labels === 2 ? ["turn", cells[0], columns[i].replace("turn ", "")] : ["total", columns[i]];
        figures.set(JSON.stringify([...block, spec(cells[labels - 1]), ...what]), [Number(figure[1]), figure[2]]);
      }
    }
  }
  return figures;
}

// The same figures from the views of the SQL file.
async function computed(db) {
  const query = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
  const figures = new Map();
  const put = (rows, what) => {
    for (const r of rows) figures.set(JSON.stringify([r.mode, r.history, r.method, ...what(r)]), [Number(r.score), r.n && String(r.n)]);
  };
  put(await query("from paper_tasks"), (r) => ["total", r.task]);
  put(await query("from paper_skills where not starts_with(skill, 'task ')"), (r) => ["total", r.skill]);
  put(await query("from paper_average"), () => ["total", "AVG"]);
  put(await query("from paper_turns"), (r) => ["turn", `${r.task} ${r.part}`.trim(), String(r.turn)]);
  return figures;
}

const want = printed(readFileSync(paperPath, "utf8"));
const turns = [...want.keys()].filter((k) => JSON.parse(k)[3] === "turn").length;
if (turns === 0 || want.size === turns) fail(`${paperPath}: found ${turns} figures by turn and ${want.size - turns} others`);
for (const source of sources) {
  const db = await (await DuckDBInstance.create(":memory:")).connect();
  await db.run(`set variable results = '${source.replaceAll("'", "''")}'`);
  for (const statement of readFileSync(sqlPath, "utf8").split(/;\s*\n/)) {
    if (statement.replace(/^\s*--.*$/gm, "").trim() !== "") await db.runAndReadAll(statement);
  }
  const have = await computed(db);
  for (const [key, [score, n]] of want) {
    const is = have.get(key);
    if (!is) fail(`${source}: ${key} is ${score} in the printed table, and not in the query's`);
    if (Math.abs(is[0] - score) > 0.0501) fail(`${source}: ${key} is ${score} in the printed table, ${is[0]} in the query's`);
    if (n && n !== is[1]) fail(`${source}: ${key} is of ${n} queries in the printed table, of ${is[1]} in the query's`);
  }
  for (const key of have.keys()) if (!want.has(key)) fail(`${source}: ${key} is not in the printed table`);
  console.log(`ok: ${want.size} figures of ${source} are those that scbench prints`);
}
