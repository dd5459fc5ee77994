"""The endpoint of a test run, or of one worker of it, with the stack: its own port, its own data, gone afterwards.

Its function is not tried again when it fails: a test would wait three minutes for what AWS does then. Its stream
delivers at once, not after a second.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from clicklake import pipeline
from clicklake.endpoint import Endpoint
from clicklake.errors import ClicklakeError
from clicklake.lake import Lake
from clicklake.target import Target, translated
from clicklake.testing import emptying, quiet
from clicklake.testing.address import Address, variables

_PATIENCE = 10.0  # seconds for what a test left on its way; a new data directory takes three


@dataclass(frozen=True)
class _Remembering(Target):
    """Makes a client once: that takes some 20 ms, and there are many tests."""

    made: dict[str, Any] = field(default_factory=dict, compare=False)

    def client(self, service: str, **config: Any) -> Any:
        name = f"{service} {config}"
        if name not in self.made:
            self.made[name] = super().client(service, **config)
        return self.made[name]


class Stack:
    """Starting takes some three seconds; raises UnreachableError with the endpoint's last words, or PipelineError."""

    def __init__(self, folder: Path, pipeline_file: Path | None = None, address: Address | None = None) -> None:
        file = pipeline.find(pipeline_file).absolute()
        self.pipeline = pipeline.load(file)
        self.names = self.pipeline.names()
        self._folder = folder
        self._number = 0
        options = ("--buffer-interval", "0", "--pipeline", str(file))
        self._endpoint = Endpoint(folder / "data-0", *options, tied=True)
        if address is not None:
            self._endpoint.url = address.take(self._endpoint.data_dir)
        self._start()

    def _start(self) -> None:
        self._endpoint.start()
        target = self._endpoint.target()
        self.target = _Remembering(target.session, target.endpoint_url)
        self.lake = Lake(self.target, self.pipeline, self.names, self.names.bucket)
        with translated():
            self.client("lambda").update_function_event_invoke_config(
                FunctionName=self.names.function, MaximumRetryAttempts=0
            )
        emptying.prepare(self.lake, _today())

    @property
    def url(self) -> str:
        return self._endpoint.url

    @property
    def environment(self) -> Mapping[str, str]:
        keys = self.target.session.get_credentials()
        return variables(self.url, keys.access_key, keys.secret_key, self.target.session.region_name)

    def client(self, service: str) -> Any:
        return self.target.client(service)

    def reset(self) -> None:
        """As if nothing had ever been sent, whatever is still on its way. What a test has made besides stays, unless
        it has left the stack so that it can't be emptied: then there is a new one, with the same address and keys."""
        try:
            if not quiet.wait(self.url, _PATIENCE) and self._is_whole():
                emptying.empty(self.lake, _today())
                return
        except ClicklakeError:
            pass  # it is gone, or a part of the stack is
        self._renew()

    def _is_whole(self) -> bool:
        """Raises RefusedError if the workgroup, the stream or the function is gone."""
        names, tables = self.names, {table.name for table in self.pipeline.tables}
        with translated():
            found = self.client("glue").get_tables(DatabaseName=names.database)["TableList"]
            self.client("athena").get_work_group(WorkGroup=names.workgroup)
            self.client("firehose").describe_delivery_stream(DeliveryStreamName=names.delivery_stream)
            self.client("lambda").get_function_configuration(FunctionName=names.function)
        return {*tables, names.unique_view} <= {table["Name"] for table in found}

    def _renew(self) -> None:
        keys = (self._endpoint.data_dir / "credentials").read_bytes()
        self._endpoint.kill()
        shutil.rmtree(self._endpoint.data_dir, ignore_errors=True)
        self._number += 1
        fresh = self._endpoint.data_dir = self._folder / f"data-{self._number}"
        fresh.mkdir(mode=0o700)
        (fresh / "credentials").write_bytes(keys)
        (fresh / "credentials").chmod(0o600)
        self._start()

    def end(self) -> None:
        self._endpoint.end()
        shutil.rmtree(self._folder, ignore_errors=True)


def _today() -> date:
    return datetime.now(UTC).date()
