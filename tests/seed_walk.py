"""The seed's walk, word for word, with the real aws CLI; run on any stack that has the seed's names."""

import gzip
import json
import shlex
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from clicklake import pipeline
from clicklake.pipeline import Names
from endpoint_process import eventually

ROOT = Path(__file__).parent.parent
PUT_RECORD = """aws firehose put-record \
  --delivery-stream-name {stream} \
  --record "{{\\"Data\\": \\"$(base64 < sample-event.json)\\"}}" """


@dataclass(frozen=True)
class Walk:
    """`environment` is what `eval "$(clicklake env)"` made; `bucket` the lake's. What has to be asked again and again
    is asked with a `client` of boto3, for each start of the aws CLI takes most of a second."""

    environment: Mapping[str, str]
    bucket: str
    names: Names
    client: Callable[[str], Any]

    def shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=dict(self.environment), capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        return done.stdout

    def typed(self, sql: str) -> list[list[str]]:
        """Rows as the CLI's get-query-results prints them, the header row included where Athena sends one."""
        where = f"--work-group {self.names.workgroup} --query-execution-context Database={self.names.database}"
        start = f"aws athena start-query-execution {where} --query-string {shlex.quote(sql)}"
        number = json.loads(self.shell(start))["QueryExecutionId"]
        assert eventually(partial(self._ended, number), 60) == "SUCCEEDED"
        return _cells(json.loads(self.shell(f"aws athena get-query-results --query-execution-id {number}")))

    def asked(self, sql: str) -> list[list[str]]:
        """The same, by boto3."""
        athena = self.client("athena")
        started = athena.start_query_execution(
            QueryString=sql, WorkGroup=self.names.workgroup, QueryExecutionContext={"Database": self.names.database}
        )
        number = started["QueryExecutionId"]
        assert eventually(partial(self._ended, number), 60) == "SUCCEEDED", sql
        return _cells(athena.get_query_results(QueryExecutionId=number))

    def _ended(self, number: str) -> str | None:
        state = self.client("athena").get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]["State"]
        return None if state in {"QUEUED", "RUNNING"} else str(state)


def _cells(answer: dict[str, Any]) -> list[list[str]]:
    return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in answer["ResultSet"]["Rows"]]


def walk(
    environment: Mapping[str, str],
    bucket: str,
    client: Callable[[str], Any],
    of: str = "dev",
    seconds: float = 60,
) -> None:
    """Each command of the seed's README, in its order; `client` makes boto3 clients for the same stack, whose names are
    those `of` an environment. Delivery and processing may take so many `seconds`."""
    names = pipeline.load().names(of)
    seed = Walk(environment, bucket, names, client)
    assert json.loads(seed.shell("aws sts get-caller-identity"))["Account"]

    assert json.loads(seed.shell(PUT_RECORD.format(stream=names.delivery_stream)))["RecordId"]
    sample = (ROOT / "sample-event.json").read_bytes()
    client("firehose").put_record(DeliveryStreamName=names.delivery_stream, Record={"Data": sample})

    assert eventually(
        lambda: len(ledger_rows(client, bucket)) > 0 and sum(ledger_rows(client, bucket)) == 2, seconds=seconds
    )
    assert "PRE year=" in seed.shell(f"aws s3 ls s3://{bucket}/raw/")
    assert "PRE year=" in seed.shell(f"aws s3 ls s3://{bucket}/processed/")

    seed.asked("MSCK REPAIR TABLE clickstream_events;")
    header, *rows = seed.asked(f"SELECT *\nFROM {names.database}.clickstream_events\nLIMIT 10;")
    assert header[:2] == ["event_id", "event_type"]
    assert header[-3:] == ["year", "month", "day"]
    assert [row[header.index("event_type")] for row in rows] == ["page_view", "page_view"]
    assert all("u1" not in cell for row in rows for cell in row), "user_id must not leave raw/"

    year, month, day = rows[0][-3:]
    assert datetime(int(year), int(month), int(day), tzinfo=UTC)
    where = f"year='{year}' AND month='{month}' AND day='{day}'"
    assert len(seed.asked(f"SELECT *\nFROM {names.database}.clickstream_events\nWHERE {where}\nLIMIT 10;")) == 3
    assert (
        seed.asked(
            f"SELECT *\nFROM {names.database}.clickstream_events\nWHERE year='2025' AND month='11' AND day='26'\nLIMIT 10;"
        )[1:]
        == []
    )
    counted = seed.typed(f"SELECT event_type, COUNT(*)\nFROM {names.database}.clickstream_events\nGROUP BY event_type;")
    assert counted == [["event_type", "_col1"], ["page_view", "2"]]


def ledger_rows(client: Callable[[str], Any], bucket: str) -> list[int]:
    """records_in of each ledger row, read as plain objects: the walk waits on it without a query."""
    s3 = client("s3")
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="ledger/").get("Contents", [])]
    texts = [gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]
    return [json.loads(line)["records_in"] for text in texts for line in text.splitlines()]
