-- The paper's tables from a run, in DuckDB:
--
--     duckdb -cmd "set variable results = 'outputs/runs/ID/results.parquet'" < examples/tables.sql
--
-- Without the variable it reads all runs below outputs/runs. A partitioned copy (scbench export RUN --hive DIR) is
-- 'DIR/results/**/*.parquet'. What scbench show --paper prints are the same figures; CI compares the two. Scores are × 100.

create or replace temp view results as
select * from read_parquet(coalesce(getvariable('results'), 'outputs/runs/*/results.parquet'), union_by_name = true);

-- A subtask of a task: published scoring. In multi-turn mode the mean of its turns' means, else the mean over its queries.
-- Failed queries have score 0 and count.
create or replace temp view paper_parts as
with turns as (
    select run, mode, history, method, task, skill, part, turn, avg(score_strict) as score, count(score_strict) as n
    from results where score_strict is not null
    group by all
)
select run, mode, history, method, task, skill, part,
       100 * if(mode = 'multi-turn', avg(score), sum(score * n) / sum(n)) as score, sum(n) as n
from turns group by run, mode, history, method, task, skill, part;

-- Tables 11 and 12: every task; a mixed one is the mean of its subtasks.
create or replace temp view paper_tasks as
select run, mode, history, method, task, any_value(skill) as skill, avg(score) as score, sum(n) as n
from paper_parts group by run, mode, history, method, task;

-- Tables 4 and 10: the skills, each the mean of its tasks; a task without a skill stands for itself.
create or replace temp view paper_skills as
select run, mode, history, method, if(skill = '', 'task ' || task, skill) as skill, avg(score) as score, sum(n) as n
from paper_tasks group by all;

-- Their average.
create or replace temp view paper_average as
select run, mode, history, method, avg(score) as score, sum(n) as n from paper_skills group by all;

-- Figure 6: the score of each turn of each task.
create or replace temp view paper_turns as
select run, mode, history, method, task, part, turn, 100 * avg(score_strict) as score, count(score_strict) as n
from results where score_strict is not null group by all;

-- Table 13: what the model's own answers in the conversation change, where a run or another has both.
create or replace temp view paper_histories as
select g.task, g.method, g.score as gold, o.score as own, o.score - g.score as difference
from paper_tasks as g join paper_tasks as o using (task, method, mode)
where g.history = 'gold' and o.history = 'own';

-- Figure 4: the budget sweep, against the bytes that a branch was measured to hold.
create or replace temp view paper_budgets as
select r.run, r.mode, r.history, split_part(r.method, ':', 1) as family, r.method, avg(r.kv_bytes_resident / nullif(r.kv_bytes_logical, 0)) as share,
       avg(r.kv_bytes_resident) / 2 ** 20 as mib, any_value(a.score) as score
from results as r join paper_average as a using (run, mode, history, method) group by all;

select mode, history, method, task, round(score, 1) as score, n from paper_tasks order by all;

pivot (select mode, history, method, skill, round(score, 1) as score from paper_skills
       union all select mode, history, method, 'AVG', round(score, 1) from paper_average)
on skill using any_value(score) order by mode, history, method;

pivot (select mode, history, method, task, part, turn, round(score, 1) as score from paper_turns)
on turn using any_value(score) order by mode, history, task, part, method;

select task, method, round(gold, 1) as gold, round(own, 1) as own, round(difference, 1) as difference from paper_histories order by all;

select mode, family, method, round(share, 3) as share, round(mib, 2) as mib, round(score, 1) as score from paper_budgets order by mode, family, mib;
