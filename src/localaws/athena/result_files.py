"""The objects that a query leaves in S3: its result, and beside it what describes it (result_metadata.py).

Rows come as a file that a worker wrote, and go as one where they are many: the endpoint never holds a large result.
"""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from localaws.athena import result_metadata, results
from localaws.athena.catalog import Document, Files, PutFile, PutObject, bucket_and_key
from localaws.athena.executions import Execution
from localaws.athena.failures import QueryFailure
from localaws.athena.managed import ManagedResults, is_managed
from localaws.errors import AwsError

_IN_MEMORY = 4 << 20  # bytes of a result that is put at once
_BYTES = "application/octet-stream"


class ResultFiles:
    """`put_object` and `put_file` are S3's, and its buckets all belong to `account`. `managed` keeps what S3 does not;
    workers write into `scratch`."""

    def __init__(
        self,
        files: Files,
        put_object: PutObject,
        put_file: PutFile,
        account: str,
        managed: ManagedResults,
        scratch: Path,
    ) -> None:
        self._files = files
        self._put_object = put_object
        self._put_file = put_file
        self._account = account
        self._managed = managed
        self._scratch = scratch
        self._beside = ThreadPoolExecutor(max_workers=4, thread_name_prefix="athena-metadata")

    def close(self) -> None:
        """When nothing is put any more."""
        self._beside.shutdown()

    @contextmanager
    def rows_of(self, execution: Execution) -> Iterator[Path]:
        """The file into which a worker writes them; it is gone afterwards, whatever becomes of the query."""
        rows = self._scratch / f"{execution.id}.csv"
        try:
            yield rows
        finally:
            rows.unlink(missing_ok=True)

    def put_rows(self, execution: Execution, rows: Path) -> int:
        """A header and the rows; -> the size of the object. Raises QueryFailure."""
        header = results.header([c["Name"] for c in execution.columns])
        size = rows.stat().st_size
        with self._described(execution):
            if size <= _IN_MEMORY:
                self._put(execution, header + rows.read_bytes())
            else:
                self._put_large(execution, header, rows)
        return len(header) + size

    @contextmanager
    def _described(self, execution: Execution) -> Iterator[None]:
        """`describe` meanwhile: each waits for the disk, and both can wait for the same commit."""
        described = self._beside.submit(self.describe, execution)
        yield
        described.result()

    def _put_large(self, execution: Execution, header: bytes, rows: Path) -> None:
        whole = rows.with_suffix(".whole")
        try:
            with whole.open("wb") as target, rows.open("rb") as source:
                target.write(header)
                shutil.copyfileobj(source, target, 1 << 20)
            self._put(execution, whole)
        finally:
            whole.unlink(missing_ok=True)

    def put_lines(self, execution: Execution, lines: Sequence[str]) -> None:
        """Of what is no query. Raises QueryFailure."""
        with self._described(execution):
            self._put(execution, "".join(f"{line}\n" for line in lines).encode())

    def describe(self, execution: Execution) -> None:
        """Put what says its columns, if it has any. Raises QueryFailure."""
        if execution.columns and not is_managed(execution.document):
            update = result_metadata.UPDATES.get(execution.document["SubstatementType"], "")
            data = result_metadata.message(execution.id, execution.columns, update, execution.rows)
            self._put(execution, data, ".metadata")

    def find(self, execution: Execution) -> Path | None:
        """The result's file."""
        if is_managed(execution.document):
            return self._managed.find(execution.id)
        bucket, key = bucket_and_key(execution.document["ResultConfiguration"]["OutputLocation"])
        try:
            return next((file.path for file in self._files(bucket, key) if file.key == key), None)
        except AwsError:
            return None  # no bucket

    def _put(self, execution: Execution, data: bytes | Path, suffix: str = "") -> None:
        if is_managed(execution.document):
            self._managed.put(execution.id, data)
            return
        configuration = execution.document["ResultConfiguration"]
        url = configuration["OutputLocation"]
        bucket, key = bucket_and_key(url)
        if configuration.get("ExpectedBucketOwner", self._account) != self._account:
            raise QueryFailure(
                f"Access denied when writing output to url: {url} . Please ensure you are allowed to access the S3 "
                "bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access "
                "your KMS key"
            )
        try:
            if isinstance(data, Path):
                self._put_file(bucket, key + suffix, data, _BYTES, **_encryption(configuration))
            else:
                self._put_object(bucket, key + suffix, data, _BYTES, **_encryption(configuration))
        except AwsError as e:
            raise QueryFailure(f"Unable to verify/create output bucket {bucket}") from e


def _encryption(configuration: Document) -> dict[str, str]:
    """As members of PutObject's request; the bucket's own where nothing is asked for."""
    asked = configuration.get("EncryptionConfiguration") or {}
    method = {"SSE_S3": "AES256", "SSE_KMS": "aws:kms"}.get(asked.get("EncryptionOption", ""))
    found = {"ServerSideEncryption": method, "SSEKMSKeyId": asked.get("KmsKey") if method == "aws:kms" else None}
    return {name: value for name, value in found.items() if value}
