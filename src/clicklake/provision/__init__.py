"""The default stack of pipeline.json, made through boto3: what Terraform makes on AWS, for a laptop in a second.

    stack.py      its names, ARNs and tags
    lake.py       the bucket, and what it starts
    access.py     roles, and the key of user_key
    function.py   the processor, its logs and its failures' queue
    tables.py     the database, tables and view
    queries.py    the workgroup and its saved queries
    stream.py     the delivery stream

Every step is idempotent, so what a crash cut off is made up for. What a stack was made from, our own code included, is
kept as a mark on its stream, put last. A start that finds the right mark looks at tables and function, and whether the
rest is there at all; a stack made by another version, or from another pipeline file, is brought up to date.
"""

import hashlib
from pathlib import Path

from clicklake.pipeline import Buffer, Pipeline
from clicklake.provision import access, function, lake, queries, stream, tables
from clicklake.provision.stack import Stack
from clicklake.target import Target, translated

_PRODUCT = Path(__file__).parent.parent
# What has gone when a person removed it by hand, and takes with it what is made once only.
_REMOVABLE = (lake.bucket_is_there, function.function_is_there, queries.workgroup_is_there)
_SOURCES = ("provision/*.py", "roles.py", "saved_queries.py", "queries/*.sql")


def provision(
    target: Target, pipeline: Pipeline, package: Path, buffer: Buffer, environment: str | None = None
) -> None:
    """Make or update everything; `package` is the function's zip, `buffer` the stream's buffering hints.

    Raises UsageError, before anything is touched, if the lake has data in another format than the pipeline's, and if
    the stack is one of Terraform's.
    """
    environment = environment or pipeline.environment
    with translated():
        account = target.client("sts").get_caller_identity()["Account"]
        stack = Stack(target, pipeline, pipeline.names(environment), environment, buffer, account)
        found, made_from = stream.mark(stack), _fingerprint(stack)
        tables.refuse_other_format(stack)
        if found == made_from and all(is_there(stack) for is_there in _REMOVABLE):
            tables.make_tables(stack)
            function.make_function(stack, package.read_bytes())
        else:
            _make_all(stack, package.read_bytes())
            stream.put_mark(stack, made_from)


def _fingerprint(stack: Stack) -> str:
    digest = hashlib.sha256(
        repr((stack.pipeline, stack.environment, stack.buffer, stack.account, stack.region)).encode()
    )
    for pattern in _SOURCES:
        for file in sorted(_PRODUCT.glob(pattern)):
            digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _make_all(stack: Stack, code: bytes) -> None:
    """In the order in which one needs another; the stream comes last, for behind it nothing may be missing."""
    lake.make_bucket(stack)
    access.make_roles(stack)
    access.make_user_key(stack)
    function.make_log_group(stack, stack.names.function_logs)
    function.make_log_group(stack, stack.names.delivery_logs)
    function.make_failure_queue(stack)
    tables.make_database(stack)
    tables.make_tables(stack)
    queries.make_workgroup(stack)
    queries.make_saved_queries(stack)
    function.make_function(stack, code)
    function.make_retries(stack)
    lake.make_trigger(stack)
    stream.make_stream(stack)
