"""docs/deploy.md and docs/migrate.md are true: their commands, one block after the other, on the laptop's endpoint.

What a page marks `<!-- not on the laptop: why -->` is left out, and the zip is this machine's. Terraform is told to ask
nobody, and to deliver after a second, by its own environment variables; so its commands run as they stand.
"""

import csv
import gzip
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from athena_client import Queries
from clicklake.simulator.traffic import Kind, Plan, Record, generate
from endpoint_process import EndpointProcess, eventually, running
from seed_walk import ledger_rows
from terraform_stack import ROOT, Terraform, copied, offline

pytestmark = [pytest.mark.terraform, pytest.mark.minutes, pytest.mark.timeout(900)]

INSTEAD = {"make package": "clicklake package --target local"}
ANSWERS = {"TF_CLI_ARGS_apply": "-auto-approve", "TF_CLI_ARGS_destroy": "-auto-approve"}
SETTINGS = {"TF_VAR_buffering": '{"mib": 16, "seconds": 1}', "TF_VAR_force_destroy": "false"}


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[EndpointProcess]:
    yield from running(tmp_path / "data", "--bare")


@pytest.fixture
def checkout(tmp_path: Path, endpoint: EndpointProcess) -> Terraform:
    """A clone as the pages' reader has it, but for the installed packages, with the provider found."""
    root = tmp_path / "checkout"
    copied(root, b"")
    shutil.copytree(ROOT / "examples", root / "examples", ignore=shutil.ignore_patterns("node_modules"))
    shutil.copy(ROOT / "sample-event.json", root)
    terraform = offline(root, "terraform")
    return Terraform(root, {**terraform.environment, **endpoint.environment(), **ANSWERS, **SETTINGS, **_init()})


def _init() -> dict[str, str]:
    mirror = os.environ.get("TF_PLUGIN_DIR")
    return {"TF_CLI_ARGS_init": f"-lockfile=readonly -plugin-dir={mirror}"} if mirror else {}


def blocks(page: str) -> list[str]:
    """The page's commands, but for those that are not for the laptop."""
    found = re.findall(r"(<!-- not on the laptop: .+ -->\n)?```bash\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [commands for elsewhere, commands in found if not elsewhere]


def run(checkout: Terraform, block: str) -> str:
    """What the commands print, typed one after the other in the repository's folder."""
    for word, other in INSTEAD.items():
        block = block.replace(word, other)
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(
        command, cwd=checkout.root, env=dict(checkout.environment), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def table(said: str) -> list[list[str]]:
    """What `clicklake query` prints on a pipe: CSV."""
    return list(csv.reader(said.splitlines()))


def test_every_block_of_the_pages_is_run_or_says_why_not() -> None:
    assert len(blocks("docs/deploy.md")) >= 6
    assert len(blocks("docs/migrate.md")) >= 7


def test_deploy(checkout: Terraform, endpoint: EndpointProcess) -> None:
    said = {block: run(checkout, block) for block in blocks("docs/deploy.md")}
    (first_query,) = (text for block, text in said.items() if "clicklake query" in block)
    counted, visitors = table(first_query)[-3], table(first_query)[-1]  # two rows, the second below its header
    assert counted == ["purchase", "1"]
    assert visitors[1:] == ["1", "0", "1"]
    (policy,) = (text for block, text in said.items() if "producer_policy" in block)
    assert "firehose:PutRecord" in policy
    assert endpoint.client("s3").list_buckets()["Buckets"] == []
    assert endpoint.client("iam").list_roles()["Roles"] == []
    assert endpoint.client("ssm").describe_parameters()["Parameters"] == []


# --- docs/migrate.md -------------------------------------------------------------------------------------------------

OLD, NEW = "old-clickstream", "acme-clickstream-v2"


def test_migrate(checkout: Terraform, endpoint: EndpointProcess) -> None:
    records = list(islice(generate(Plan(3, datetime.now(UTC) - timedelta(minutes=10), rate=40)), 600))
    _make_the_seeds_stack(endpoint, records)
    said = {}
    for block in blocks("docs/migrate.md"):
        said[block] = run(checkout, block)
        if "s3 sync" in block:
            assert eventually(lambda: _is_processed(endpoint), seconds=60)
    done, sums, compared = (next(t for b, t in said.items() if w in b) for w in ("grep -c", "sum(good)", "FULL JOIN"))
    assert len(set(re.findall(r"^\d+$", done, re.MULTILINE))) == 1
    records_in, good, duplicate, failed = map(int, table(sums)[1])
    sent = Counter(record.event_type for record in records if record.event_type)
    assert (records_in, failed) == (len(records), len(records) - sent.total())
    assert records_in == good + duplicate + failed
    distinct = Counter(r.event_type for r in records if r.kind in {Kind.GOOD, Kind.LATE})
    for event_type, old, new in table(compared)[1:]:
        assert int(old) == sent[event_type]
        assert distinct[event_type] <= int(new) <= sent[event_type]
    assert eventually(lambda: sum(ledger_rows(endpoint.client, NEW)) == len(records) + 1), "the switched sender's event"
    unique = "SELECT event_type, count(*) FROM clickstream_events_unique WHERE app_id IS NOT NULL GROUP BY 1"
    queries = Queries(endpoint.client("athena"), "clickstream_db_v2")
    assert {str(name): int(str(n)) for name, n in queries.rows(unique, WorkGroup="clickstream-v2")} == distinct


def _make_the_seeds_stack(endpoint: EndpointProcess, records: list[Record]) -> None:
    """A bucket, a stream that has delivered, and a table over plain JSON, as the seed's Lambda writes it."""
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket=OLD)
    _send_through_the_seeds_stream(endpoint.client("firehose"), records)
    processed = b"".join(record.data for record in records if record.event_type)
    s3.put_object(Bucket=OLD, Key=f"processed/{datetime.now(UTC):year=%Y/month=%m/day=%d}/a.json", Body=processed)
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{OLD}/athena-results/"}}
    table = (
        "CREATE EXTERNAL TABLE clickstream_db.clickstream_events (event_id string, event_type string) PARTITIONED BY "
        "(year string, month string, day string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
        f"LOCATION 's3://{OLD}/processed/'"
    )
    for statement in ("CREATE DATABASE clickstream_db", table, "MSCK REPAIR TABLE clickstream_db.clickstream_events"):
        Queries(endpoint.client("athena"), "default").run(statement, **results)
    size = sum(len(data) for data in _without_line_ends(records))
    assert eventually(lambda: _delivered(s3) == size)


def _send_through_the_seeds_stream(firehose: Any, records: list[Record]) -> None:
    destination = {
        "BucketARN": f"arn:aws:s3:::{OLD}",
        "RoleARN": "arn:aws:iam::000000000000:role/firehose",
        "Prefix": "raw/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 1},
        "CompressionFormat": "GZIP",
    }
    stream = "clickstream-firehose-dev"
    firehose.create_delivery_stream(DeliveryStreamName=stream, ExtendedS3DestinationConfiguration=destination)
    sent = _without_line_ends(records)
    for begin in range(0, len(sent), 200):
        batch = [{"Data": data} for data in sent[begin : begin + 200]]
        firehose.put_record_batch(DeliveryStreamName=stream, Records=batch)


def _without_line_ends(records: list[Record]) -> list[bytes]:
    """As the seed sends them: Firehose puts one behind the other. Broken ones end their line, or would break the next."""
    return [record.data if record.kind is Kind.MALFORMED else record.data.strip() for record in records]


def _delivered(s3: Any) -> int:
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket=OLD, Prefix="raw/").get("Contents", [])]
    return sum(len(gzip.decompress(s3.get_object(Bucket=OLD, Key=key)["Body"].read())) for key in keys)


def _is_processed(endpoint: EndpointProcess) -> bool:
    raw = endpoint.client("s3").list_objects_v2(Bucket=NEW, Prefix="raw/").get("KeyCount", 0)
    return bool(raw) and len(ledger_rows(endpoint.client, NEW)) >= raw
