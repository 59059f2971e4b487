"""The paper's tables from a run, in pandas:

    python examples/tables.py outputs/runs/ID/results.parquet

The argument is what pandas.read_parquet takes: also a partitioned copy's DIR/results (scbench export RUN --hive DIR), or a
.csv of the rows. What `scbench show --paper RUN` prints are the same figures. Scores are x 100.
"""

import sys

import pandas as pd

CELL = ["run", "mode", "history", "method"]


def read(path):
    """One row a query. A partitioned copy's folders come as categories, which group_by would fill up with what is not there."""
    rows = pd.read_csv(path, keep_default_na=False, na_values={"score_strict": ""}) if path.endswith(".csv") else pd.read_parquet(path)
    names = [*CELL, "task", "skill", "part"]
    return rows.astype({name: "str" for name in names})


def parts(rows):
    """Subtasks of tasks: in multi-turn mode the mean of the turns' means, else the mean over queries. Failures count 0."""
    scored = rows.dropna(subset=["score_strict"])
    turns = scored.groupby([*CELL, "task", "skill", "part", "turn"])["score_strict"].agg(["sum", "count"]).reset_index()
    turns["mean"] = turns["sum"] / turns["count"]
    by_part = turns.groupby([*CELL, "task", "skill", "part"]).agg(turns=("mean", "mean"), sum=("sum", "sum"), n=("count", "sum")).reset_index()
    by_part["score"] = 100 * by_part["turns"].where(by_part["mode"] == "multi-turn", by_part["sum"] / by_part["n"])
    return by_part


def tasks(rows):
    """Tables 11 and 12: a mixed task is the mean of its subtasks."""
    return parts(rows).groupby([*CELL, "task", "skill"]).agg(score=("score", "mean"), n=("n", "sum")).reset_index()


def skills(rows):
    """Tables 4 and 10: the mean of the skill's tasks; a task without a skill stands for itself."""
    by_task = tasks(rows)
    by_task["skill"] = by_task["skill"].where(by_task["skill"] != "", "task " + by_task["task"])
    return by_task.groupby([*CELL, "skill"])["score"].mean().reset_index()


def turns(rows):
    """Figure 6: the score of each turn."""
    return rows.groupby(["mode", "history", "task", "part", "method", "turn"])["score_strict"].mean().mul(100).unstack("turn")


def main(path):
    rows = read(path)
    pd.options.display.width, pd.options.display.max_rows, pd.options.display.max_columns = 160, 500, 50
    show = {"Tasks": tasks(rows).pivot(index=["mode", "history", "method"], columns="task", values="score")}
    table = skills(rows).pivot(index=["mode", "history", "method"], columns="skill", values="score")
    table["AVG"] = table.mean(axis=1)
    show["Skills"], show["Turns"] = table, turns(rows)
    for title, table in show.items():
        print(f"\n{title}\n{table.round(1).to_string(na_rep='–')}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__))
