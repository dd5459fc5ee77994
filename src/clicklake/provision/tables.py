"""The lake in Glue's catalog: database, tables, view."""

from clicklake import catalog
from clicklake.errors import UsageError
from clicklake.glue_tables import bring_up_to_date
from clicklake.provision.stack import Stack, unless_there


def refuse_other_format(stack: Stack) -> None:
    """A table has one format: with files of two, every query of it would fail."""
    glue, events = stack.client("glue"), stack.pipeline.tables.events
    try:
        table = glue.get_table(DatabaseName=stack.names.database, Name=events.name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return
    there = catalog.format_of(table["StorageDescriptor"])
    if there == events.format or not _has_objects(stack, stack.pipeline.prefix(events)):
        return
    raise UsageError(
        f"{stack.names.database}.{events.name} holds {there}, and the pipeline file says {events.format}",
        f'keep "processed_format": "{there}" until you have run: clicklake rebuild --format {events.format}',
    )


def _has_objects(stack: Stack, prefix: str) -> bool:
    s3 = stack.client("s3")
    try:
        return "Contents" in s3.list_objects_v2(Bucket=stack.names.bucket, Prefix=prefix, MaxKeys=1)
    except s3.exceptions.NoSuchBucket:
        return False


def make_database(stack: Stack) -> None:
    glue, database = stack.client("glue"), stack.names.database
    with unless_there():
        glue.create_database(DatabaseInput={"Name": database, "Description": "The clickstream lake."})
    glue.tag_resource(ResourceArn=stack.arn("glue", f"database/{database}"), TagsToAdd=stack.tags)


def make_tables(stack: Stack) -> None:
    glue, database = stack.client("glue"), stack.names.database
    wanted = [catalog.table_input(stack.pipeline, table, stack.names.bucket) for table in stack.pipeline.tables]
    wanted.append(catalog.unique_view_input(stack.pipeline, database, stack.names.unique_view))
    for table in wanted:
        bring_up_to_date(glue, database, table)
