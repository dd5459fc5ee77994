"""Terraform with a team's pipeline file: its columns, and the format that it refuses to switch on a lake with data.

One apply, shared by the tests in their order here.
"""

import io
import json
import subprocess
from typing import Any

import pytest

from athena_client import Queries
from clicklake import package, pipeline, rebuild
from clicklake.target import of_keys
from clicklake.terminal import Terminal
from endpoint_process import EndpointProcess, eventually
from seed_walk import ledger_rows
from terraform_stack import BUCKET, Terraform, checkout

pytestmark = [pytest.mark.terraform, pytest.mark.minutes, pytest.mark.timeout(300)]

STREAM, EVENTS = "clickstream-firehose-dev", "clickstream_db.clickstream_events"
PLAN = {"name": "plan", "type": "string", "from": "properties.plan", "comment": "The customer's plan."}
_UNCHANGED = 0


class Team:
    """A checkout whose pipeline file and package are the team's."""

    def __init__(self, terraform: Terraform, endpoint: EndpointProcess) -> None:
        self.terraform, self.endpoint = terraform, endpoint
        self.file = terraform.root / "team.json"

    def describe(self, *columns: dict[str, Any], form: str = "parquet") -> None:
        """Write the pipeline file and build the package with it."""
        document = json.loads(pipeline.FILE.read_text()) | {"processed_format": form}
        document["tables"]["events"]["columns"] += columns
        self.file.write_text(json.dumps(document))
        package.build(pipeline=self.file, out=self.terraform.root / "dist/processor-local.zip")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.terraform.run(*arguments, "-var", "pipeline_file=../team.json", seconds=200)

    def apply(self) -> str:
        done = self.run("apply", "-auto-approve")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def send(self, event_id: str) -> None:
        before = sum(ledger_rows(self.endpoint.client, BUCKET))
        event = {"event_type": "x", "event_id": event_id, "properties": {"plan": "plus"}}
        self.endpoint.client("firehose").put_record(
            DeliveryStreamName=STREAM, Record={"Data": json.dumps(event).encode()}
        )
        assert eventually(lambda: sum(ledger_rows(self.endpoint.client, BUCKET)) == before + 1)

    def rows(self, sql: str) -> list[list[str | None]]:
        queries = Queries(self.endpoint.client("athena"), "clickstream_db")
        return queries.rows(sql, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/athena-results/"})


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, endpoint: EndpointProcess) -> Team:
    """Applied, with a file that describes what ours does."""
    made = Team(checkout(tmp_path_factory.mktemp("terraform") / "checkout", endpoint, b""), endpoint)
    made.describe()
    made.apply()
    return made


def test_an_own_column_is_there_from_the_next_apply_on(team: Team) -> None:
    team.send("1 before")
    team.describe(PLAN)
    said = team.apply()
    assert "0 to add, 3 to change, 0 to destroy" in said, "the table, the view and the function, all in place"
    team.send("2 after")
    assert team.rows(f"SELECT event_id, plan FROM {EVENTS}_unique ORDER BY event_id") == [
        ["1 before", None],
        ["2 after", "plus"],
    ]
    found = team.endpoint.client("glue").get_table(DatabaseName="clickstream_db", Name="clickstream_events")["Table"]
    assert found["StorageDescriptor"]["Columns"][-1]["Name"] == "plan"


def test_a_format_switch_is_refused_with_the_command_that_rebuilds(team: Team) -> None:
    team.describe(PLAN, form="json")
    done = team.run("plan")
    assert done.returncode == 1
    assert "processed_format is now json. Run: clicklake rebuild --format json" in " ".join(done.stdout.split())


def test_after_the_rebuild_it_is_accepted_and_the_next_plan_is_empty(team: Team) -> None:
    before = team.rows(f"SELECT event_id, plan FROM {EVENTS} ORDER BY event_id")
    keys = team.endpoint.keys()
    target = of_keys(team.endpoint.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")
    described = pipeline.load(team.file)
    lake = rebuild.open_lake(target, described, described.names(), "json")
    assert rebuild.rebuild(lake, Terminal(io.StringIO())).objects == 2
    team.apply()
    done = team.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout
    team.send("3 json")
    after = team.rows(f"SELECT event_id, plan FROM {EVENTS} ORDER BY event_id")
    # What was rebuilt was made with the team's column in place.
    assert after == [[event_id, "plus"] for event_id in ("1 before", "2 after", "3 json")]
    assert [row[0] for row in before] == ["1 before", "2 after"]
