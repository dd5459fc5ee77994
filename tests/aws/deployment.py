"""Terraform, run on a copy of terraform/ with a state of its own, for one stack that is to be destroyed again."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from aws.lake import Lake
from clicklake import package, pipeline
from clicklake.errors import NoError, UsageError

ROOT = Path(__file__).parent.parent.parent
_READ = ("src/clicklake/pipeline.json", "src/clicklake/queries")
_THE_CALLERS_OWN = ("*.tfvars", "*.auto.tfvars.json", "backend.tf", ".terraform", "*.tfstate*")
# What says that a thing is not there, in the words of the services that are asked.
_ABSENT = {
    "404", "NoSuchBucket", "ResourceNotFoundException", "EntityNotFoundException", "NoSuchEntity", "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue", "InvalidRequestException",
}  # fmt: skip


@dataclass(frozen=True)
class Deployment:
    """`folder` holds the copy and its state."""

    lake: Lake
    folder: Path

    @property
    def target(self) -> str:
        """What the function's zip is built for."""
        return package.target_of(pipeline.load()) if self.lake.on_aws else "local"

    @property
    def zip(self) -> Path:
        return self.folder / f"dist/processor-{self.target}.zip"

    def prepare(self, more: Sequence[str]) -> None:
        """Copy what Terraform reads, build the zip, initialise. `more` are NAME=VALUE, as for terraform -var."""
        ignored = shutil.ignore_patterns(*_THE_CALLERS_OWN)
        shutil.copytree(ROOT / "terraform", self.folder / "terraform", ignore=ignored)
        for name in _READ:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / name, self.folder / name)
        package.build(self.target, out=self.zip)
        settings = {
            "environment": self.lake.environment,
            "s3_bucket_name": self.lake.bucket,
            "force_destroy": True,
            "buffering": {"mib": 1, "seconds": 1},
            **dict(one.split("=", 1) for one in more),
        }
        (self.folder / "terraform/terraform.tfvars.json").write_text(json.dumps(settings))
        mirror = os.environ.get("TF_PLUGIN_DIR")
        self.terraform("init", "-lockfile=readonly", *([f"-plugin-dir={mirror}"] if mirror else []))

    def terraform(self, *arguments: str) -> None:
        """Run it where the caller sees what it says. Raises NoError if it fails."""
        binary = shutil.which("terraform")
        if binary is None:
            raise UsageError("there is no terraform on PATH", "developer.hashicorp.com/terraform/install")
        workspace = "default" if self.lake.on_aws else "laptop"
        own = {"TF_WORKSPACE": workspace, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
        environment = {**os.environ, **own}
        command = [binary, *arguments, "-no-color"]
        process = subprocess.Popen(
            command,
            cwd=self.folder / "terraform",
            env=environment,
            stdout=subprocess.PIPE,  # and not the caller's, for it would die of writing to one that is gone
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # else a terminal's Ctrl-C would reach it beside ours: at the second it lets all go
        )
        try:
            _follow(process)
        except KeyboardInterrupt:
            # Interrupted, the provider would not wait for what it has asked for, and what AWS makes is then in no state.
            say("interrupted: Terraform ends what it has begun, and then all is destroyed")
            _follow(process)
            raise
        if process.returncode != 0:
            raise NoError(f"terraform {arguments[0]} ended with {process.returncode}")


def _follow(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        say(line.rstrip())
    process.wait()


def say(line: str) -> None:
    """To the caller, who may be gone: a stack is destroyed all the same."""
    with suppress(OSError):
        print(line, flush=True)  # noqa: T201


def existing(lake: Lake) -> list[str]:
    """What there is of a stack, by the names that it would have."""
    return [name for name, ask in _asked(lake).items() if _exists(ask)]


def _asked(lake: Lake) -> dict[str, Callable[[], Any]]:
    names, client = lake.names, lake.client
    groups = (f"/aws/lambda/{names.function}", f"/aws/kinesisfirehose/{names.delivery_stream}")
    return {
        f"bucket {lake.bucket}": lambda: client("s3").head_bucket(Bucket=lake.bucket),
        f"delivery stream {names.delivery_stream}": lambda: client("firehose").describe_delivery_stream(
            DeliveryStreamName=names.delivery_stream
        ),
        f"function {names.function}": lambda: client("lambda").get_function(FunctionName=names.function),
        f"queue {names.failure_queue}": lambda: client("sqs").get_queue_url(QueueName=names.failure_queue),
        f"database {names.database}": lambda: client("glue").get_database(Name=names.database),
        f"workgroup {names.workgroup}": lambda: client("athena").get_work_group(WorkGroup=names.workgroup),
        f"role {names.function}": lambda: client("iam").get_role(RoleName=names.function),
        f"role {names.delivery_stream}": lambda: client("iam").get_role(RoleName=names.delivery_stream),
        **{f"log group {group}": partial(_log_group, client("logs"), group) for group in groups},
    }


def _log_group(logs: Any, name: str) -> bool:
    found = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in found)


def _exists(ask: Callable[[], Any]) -> bool:
    try:
        return bool(ask())
    except ClientError as e:
        if e.response["Error"]["Code"] in _ABSENT:
            return False
        raise
