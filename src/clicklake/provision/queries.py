"""Where queries run: the Athena workgroup, and the queries that are kept in it."""

from typing import Any

from clicklake.provision.stack import Stack
from clicklake.saved_queries import saved_queries

_SCANNED_AT_MOST = 100 * 2**30  # bytes of one query, which is half a dollar


def workgroup_is_there(stack: Stack) -> bool:
    groups = stack.client("athena").list_work_groups()["WorkGroups"]
    return any(group["Name"] == stack.names.workgroup for group in groups)


def make_workgroup(stack: Stack) -> None:
    """Its settings hold whatever the client asks for."""
    athena, name = stack.client("athena"), stack.names.workgroup
    settings = {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": _SCANNED_AT_MOST,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
    }
    results = {"OutputLocation": f"s3://{stack.names.bucket}/{stack.pipeline.zones.query_results}"}
    described = {"Description": "Queries of the clickstream lake."}
    if workgroup_is_there(stack):
        updates = settings | {"ResultConfigurationUpdates": results}
        athena.update_work_group(WorkGroup=name, ConfigurationUpdates=updates, **described)
    else:
        athena.create_work_group(Name=name, Configuration=settings | {"ResultConfiguration": results}, **described)
    athena.tag_resource(ResourceARN=stack.arn("athena", f"workgroup/{name}"), Tags=stack.tag_list)


def make_saved_queries(stack: Stack) -> None:
    """One for each of our SQL files. A saved query can't be changed, so one that differs is made anew; what others keep
    in the workgroup stays."""
    athena, group = stack.client("athena"), stack.names.workgroup
    there = {query["Name"]: query for query in _saved(athena, group)}
    for query in saved_queries(stack.pipeline, stack.environment):
        wanted = {"Database": stack.names.database, "QueryString": query.sql}
        found = there.get(query.name)
        if found is not None and wanted.items() <= found.items():
            continue
        if found is not None:
            athena.delete_named_query(NamedQueryId=found["NamedQueryId"])
        athena.create_named_query(Name=query.name, WorkGroup=group, **wanted)


def _saved(athena: Any, group: str) -> list[dict[str, Any]]:
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=group)
    # A page has at most as many as BatchGetNamedQuery takes: 50.
    return [
        query
        for page in pages
        if page["NamedQueryIds"]
        for query in athena.batch_get_named_query(NamedQueryIds=page["NamedQueryIds"])["NamedQueries"]
    ]
