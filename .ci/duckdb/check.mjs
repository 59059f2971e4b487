// Opens a run's results.parquet (and timings.parquet beside it) with DuckDB, as a user would, and compares them with
// the columns that scbench documents.
//
//   npm ci --prefix .ci/duckdb
//   scbench list columns --json > columns.json
//   node .ci/duckdb/check.mjs outputs/runs/<id>/results.parquet columns.json     ("-" reads the columns from stdin)
//
// columns.json is outputs.Columns() as JSON. Exits 1 at the first file, column, type or row that differs.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const [results, columnsPath] = process.argv.slice(2);
if (!results || !columnsPath) {
  console.error("usage: node check.mjs results.parquet columns.json");
  process.exit(2);
}
const timings = join(dirname(results), "timings.parquet");
const columns = JSON.parse(readFileSync(columnsPath === "-" ? 0 : columnsPath, "utf8"));

const db = await (await DuckDBInstance.create(":memory:")).connect();
const query = async (sql) => (await db.runAndReadAll(sql)).getRowObjectsJson();
const quoted = (path) => `'${path.replaceAll("'", "''")}'`;
const fail = (message) => {
  console.error(`check: ${message}`);
  process.exit(1);
};

// The columns of a file: names, order, types, and NULLs only where they are documented.
async function checkColumns(file, path) {
  if (!existsSync(path)) fail(`${path} does not exist`);
  const want = columns.filter((c) => c.file === file);
  if (want.length === 0) fail(`the schema lists no columns of ${file}`);
  const have = await query(`DESCRIBE SELECT * FROM read_parquet(${quoted(path)})`);
  for (let i = 0; i < Math.max(want.length, have.length); i++) {
    const w = want[i] && `${want[i].name} ${want[i].duckdb}`;
    const h = have[i] && `${have[i].column_name} ${have[i].column_type}`;
    if (w !== h) fail(`${path}: column ${i + 1} is ${h ?? "missing"}, the schema says ${w ?? "there is none"}`);
  }
  for (const c of want.filter((c) => !c.nullable)) {
    const [{ n }] = await query(`SELECT count(*) AS n FROM read_parquet(${quoted(path)}) WHERE ${c.name} IS NULL`);
    if (n !== "0") fail(`${path}: ${n} rows have no ${c.name}, which may not be NULL`);
  }
  const meta = await query(`SELECT decode(value) AS v FROM parquet_kv_metadata(${quoted(path)}) WHERE decode(key) = 'scbench.file'`);
  if (meta.length !== 1 || meta[0].v !== file) fail(`${path}: its metadata do not say that it holds ${file}`);
  return have.length;
}

// Every result has its timing, and no timing stands alone.
async function checkJoin() {
  const key = "run, task, example, turn, mode, history, method";
  const [{ a, b, joined }] = await query(`
    SELECT (SELECT count(*) FROM read_parquet(${quoted(results)})) AS a,
           (SELECT count(*) FROM read_parquet(${quoted(timings)})) AS b,
           (SELECT count(*) FROM read_parquet(${quoted(results)}) AS r JOIN read_parquet(${quoted(timings)}) AS t USING (${key})) AS joined`);
  if (a !== b || a !== joined) fail(`${a} results and ${b} timings join to ${joined} rows`);
  return a;
}

async function summary() {
  return query(`
    SELECT mode, method, count(*) AS n, round(100 * avg(score_fixed), 1) AS fixed,
           round(100 * avg(score_fixed) FILTER (turn = 1), 1) AS turn_1,
           round(100 * avg(score_fixed) FILTER (turn > 1), 1) AS later,
           round(avg(kv_bytes_resident) / 1048576, 2) AS kv_mib, round(avg(decode_s), 4) AS decode_s
    FROM read_parquet(${quoted(results)}) AS r JOIN read_parquet(${quoted(timings)}) AS t USING (run, task, example, turn, mode, history, method)
    GROUP BY mode, method ORDER BY mode, fixed DESC, method`);
}

const counts = [await checkColumns("results", results), await checkColumns("timings", timings)];
const rows = await checkJoin();
const groups = await summary();
if (groups.reduce((n, g) => n + Number(g.n), 0) !== Number(rows)) fail("the groups do not add up to the rows");
console.table(groups);
console.log(`ok: ${rows} rows, ${counts[0]} columns of results and ${counts[1]} of timings are as documented`);
