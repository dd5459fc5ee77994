"""A small dbt project, built against our Athena by dbt-athena: a seed, a view, a table and two incremental models.

    python -m conformance.dbt_athena --dbt VENV/bin/dbt

VENV has dbt-athena:

    python -m venv VENV
    VENV/bin/pip install dbt-core dbt-athena

The project (dbt_project/) is built until the second day and then until the third, so that the incremental models are
made first and added to afterwards; then its tables are asked through the API for what the seed says.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measure import Endpoint, endpoint

_PROJECT = Path(__file__).with_name("dbt_project")
_BUCKET = "dbt"
_DAYS = ("2024-01-02", "2024-01-03")
# statement -> rows, after both builds
_ANSWERS: Mapping[str, list[list[str | None]]] = {
    "SELECT page, clicks, seconds FROM shop.pages ORDER BY page": [
        ["/", "3", "4.75"],
        ["/a,b", "1", "8.0"],
        ["/cart", "1", "10.0"],
    ],
    "SELECT page, place FROM shop.popular ORDER BY place, page": [["/", "1"], ["/a,b", "2"], ["/cart", "2"]],
    "SELECT day, clicks FROM shop.days ORDER BY day": [["2024-01-01", "2"], ["2024-01-02", "2"], ["2024-01-03", "1"]],
    "SELECT day, page, clicks FROM shop.by_day ORDER BY day, page": [
        ["2024-01-01", "/", "1"],
        ["2024-01-01", "/cart", "1"],
        ["2024-01-02", "/", "2"],
        ["2024-01-03", "/a,b", "1"],
    ],
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.dbt_athena", description=__doc__.splitlines()[0])
    parser.add_argument("--dbt", type=Path, required=True, help="the command of the environment that has dbt-athena")
    dbt = parser.parse_args(arguments).dbt.absolute()
    with endpoint("--bare") as ours, tempfile.TemporaryDirectory() as folder:
        ours.client("s3").create_bucket(Bucket=_BUCKET)
        project = Path(shutil.copytree(_PROJECT, Path(folder) / "project"))
        built = [_build(dbt, project, ours, until) for until in _DAYS]
        wrong = [sql for sql, rows in _ANSWERS.items() if _rows(ours, sql) != rows]
    for sql in wrong:
        print(f"answered otherwise: {sql}")
    return 0 if all(built) and not wrong else 1


def _build(dbt: Path, project: Path, ours: Endpoint, until: str) -> bool:
    """Seeds, models and tests, in the order of what they need. Whether all of them passed."""
    command = [str(dbt), "build", "--profiles-dir", ".", "--vars", json.dumps({"until": until})]
    subprocess.run(command, cwd=project, env=_environment(ours))
    results = json.loads((project / "target" / "run_results.json").read_text())["results"]
    passed = sum(result["status"] in {"success", "pass"} for result in results)
    print(f"dbt build until {until}: {passed} of {len(results)} passed")
    return passed == len(results) > 0


def _environment(ours: Endpoint) -> dict[str, str]:
    keys = ours.keys()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CLICKLAKE_", "DBT_"))}
    return kept | {
        "AWS_ENDPOINT_URL": ours.url,
        "AWS_ACCESS_KEY_ID": keys["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["aws_secret_access_key"],
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _rows(ours: Endpoint, sql: str) -> list[list[str | None]] | str:
    """The rows without the header, or why there are none."""
    athena = ours.client("athena")
    asked = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{_BUCKET}/results/"}
    )
    number = asked["QueryExecutionId"]
    while (status := athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"])["State"] in {
        "QUEUED",
        "RUNNING",
    }:
        time.sleep(0.05)
    if status["State"] != "SUCCEEDED":
        return str(status.get("StateChangeReason"))
    rows = athena.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"][1:]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
