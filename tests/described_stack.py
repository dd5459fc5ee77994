"""Everything that an account has, and all that AWS's API says of it: for tests that compare two stacks.

`described` asks for every resource of every kind that a stack could have, so what only one of them made is found, too.
`differences` compares two descriptions leaf by leaf.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions

Client = Callable[..., Any]
Said = dict[str, Any]  # of one resource: what was asked -> the answer


@dataclass(frozen=True)
class Kind:
    """`names` lists the resources of the service's client; each of `said` asks for one aspect of one of them."""

    service: str
    names: Callable[[Any], list[str]]
    said: dict[str, Callable[[Any, str], Any]] = field(default_factory=dict)


def _bucket(operation: str) -> Callable[[Any, str], Any]:
    return lambda s3, name: getattr(s3, operation)(Bucket=name)


def _listed(operation: str, key: str, name: str | None = None, **parameters: Any) -> Callable[[Any], list[str]]:
    """The names in an operation's answers, all pages of them: the values of `key`, or what `name` calls them there."""

    def names(client: Any) -> list[str]:
        pages = client.get_paginator(operation).paginate(**parameters) if client.can_paginate(operation) else None
        found = pages.build_full_result() if pages else getattr(client, operation)(**parameters)
        return [each[name] if name else each for each in found.get(key, [])]

    return names


def _tables(glue: Any) -> list[str]:
    return [
        f"{database['Name']}.{table['Name']}"
        for database in glue.get_databases()["DatabaseList"]
        for table in glue.get_tables(DatabaseName=database["Name"])["TableList"]
    ]


def _table(glue: Any, name: str) -> Any:
    database, _, table = name.partition(".")
    return glue.get_table(DatabaseName=database, Name=table)["Table"]


def _queries(athena: Any, group: str) -> dict[str, Any]:
    numbers = athena.list_named_queries(WorkGroup=group)["NamedQueryIds"]
    found = athena.batch_get_named_query(NamedQueryIds=numbers)["NamedQueries"] if numbers else []
    assert len({query["Name"] for query in found}) == len(found), "two of one name"
    return {query["Name"]: query for query in found}


KINDS = {
    "bucket": Kind(
        "s3",
        _listed("list_buckets", "Buckets", "Name"),
        {
            operation.removeprefix("get_bucket_").removeprefix("get_"): _bucket(operation)
            for operation in (
                "get_public_access_block",
                "get_bucket_accelerate_configuration",
                "get_bucket_acl",
                "get_bucket_cors",
                "get_bucket_encryption",
                "get_bucket_lifecycle_configuration",
                "get_bucket_location",
                "get_bucket_logging",
                "get_bucket_notification_configuration",
                "get_bucket_ownership_controls",
                "get_bucket_policy",
                "get_bucket_replication",
                "get_bucket_request_payment",
                "get_bucket_tagging",
                "get_bucket_versioning",
                "get_bucket_website",
                "get_object_lock_configuration",
            )
        },
    ),
    "delivery stream": Kind(
        "firehose",
        _listed("list_delivery_streams", "DeliveryStreamNames"),
        {
            "description": lambda c, n: c.describe_delivery_stream(DeliveryStreamName=n),
            "tags": lambda c, n: c.list_tags_for_delivery_stream(DeliveryStreamName=n)["Tags"],
        },
    ),
    "function": Kind(
        "lambda",
        _listed("list_functions", "Functions", "FunctionName"),
        {
            "configuration": lambda c, n: c.get_function_configuration(FunctionName=n),
            "tags": lambda c, n: c.get_function(FunctionName=n).get("Tags"),
            "concurrency": lambda c, n: c.get_function_concurrency(FunctionName=n),
            "policy": lambda c, n: c.get_policy(FunctionName=n)["Policy"],
            "asynchronous": lambda c, n: c.list_function_event_invoke_configs(FunctionName=n),
            "recursion": lambda c, n: c.get_function_recursion_config(FunctionName=n),
            "sources": lambda c, n: c.list_event_source_mappings(FunctionName=n),
            "aliases": lambda c, n: c.list_aliases(FunctionName=n),
        },
    ),
    "queue": Kind(
        "sqs",
        _listed("list_queues", "QueueUrls"),
        {
            "attributes": lambda c, n: c.get_queue_attributes(QueueUrl=n, AttributeNames=["All"])["Attributes"],
            "tags": lambda c, n: c.list_queue_tags(QueueUrl=n).get("Tags"),
        },
    ),
    "topic": Kind("sns", _listed("list_topics", "Topics", "TopicArn")),
    "log group": Kind(
        "logs",
        _listed("describe_log_groups", "logGroups", "logGroupName"),
        {
            "description": lambda c, n: c.describe_log_groups(logGroupNamePrefix=n)["logGroups"][0],
            "tags": lambda c, n: c.list_tags_log_group(logGroupName=n)["tags"],
            "streams": lambda c, n: _listed("describe_log_streams", "logStreams", "logStreamName", logGroupName=n)(c),
            "subscriptions": lambda c, n: c.describe_subscription_filters(logGroupName=n)["subscriptionFilters"],
            "metrics": lambda c, n: c.describe_metric_filters(logGroupName=n)["metricFilters"],
        },
    ),
    "role": Kind(
        "iam",
        _listed("list_roles", "Roles", "RoleName"),
        {
            "description": lambda c, n: c.get_role(RoleName=n)["Role"],
            "policies": lambda c, n: {
                policy: c.get_role_policy(RoleName=n, PolicyName=policy)["PolicyDocument"]
                for policy in c.list_role_policies(RoleName=n)["PolicyNames"]
            },
            "attached": lambda c, n: c.list_attached_role_policies(RoleName=n)["AttachedPolicies"],
        },
    ),
    "policy": Kind("iam", _listed("list_policies", "Policies", "Arn", Scope="Local")),
    "user": Kind("iam", _listed("list_users", "Users", "UserName")),
    "group": Kind("iam", _listed("list_groups", "Groups", "GroupName")),
    "database": Kind(
        "glue",
        _listed("get_databases", "DatabaseList", "Name"),
        {
            "description": lambda c, n: c.get_database(Name=n)["Database"],
            "tags": lambda c, n: c.get_tags(ResourceArn=f"arn:aws:glue:us-east-1:000000000000:database/{n}")["Tags"],
        },
    ),
    "table": Kind("glue", _tables, {"description": _table}),
    "workgroup": Kind(
        "athena",
        _listed("list_work_groups", "WorkGroups", "Name"),
        {
            "description": lambda c, n: c.get_work_group(WorkGroup=n)["WorkGroup"],
            "queries": _queries,
            "tags": lambda c, n: c.list_tags_for_resource(
                ResourceARN=f"arn:aws:athena:us-east-1:000000000000:workgroup/{n}"
            )["Tags"],
        },
    ),
    "parameter": Kind("ssm", _listed("describe_parameters", "Parameters", "Name")),
    "key": Kind("kms", _listed("list_keys", "Keys", "KeyId")),
    "alias": Kind("kms", _listed("list_aliases", "Aliases", "AliasName")),
    "alarm": Kind("cloudwatch", _listed("describe_alarms", "MetricAlarms", "AlarmName")),
    "dashboard": Kind("cloudwatch", _listed("list_dashboards", "DashboardEntries", "DashboardName")),
    "rule": Kind("events", _listed("list_rules", "Rules", "Name")),
    "budget": Kind("budgets", _listed("describe_budgets", "Budgets", "BudgetName", AccountId="000000000000")),
}
# What AWS makes up itself, or counts.
VOLATILE = {
    *("ResponseMetadata", "CreationDate", "CreateDate", "CreateTimestamp", "LastUpdateTimestamp", "CreateTime"),
    *("UpdateTime", "CreationTime", "creationTime", "LastModified", "CreatedTimestamp", "LastModifiedTimestamp"),
    *("RevisionId", "RoleId", "RoleLastUsed", "NamedQueryId", "VersionId", "storedBytes"),
}


def described(aws: Client) -> dict[str, Said]:
    """`kind name` -> all that is said of it, without times and numbers that AWS makes up."""
    found = {}
    clients = {service: aws(service) for service in {of_kind.service for of_kind in KINDS.values()}}
    for kind, of_kind in KINDS.items():
        client = clients[of_kind.service]
        for name in of_kind.names(client):
            said = {what: _asked(ask, client, name) for what, ask in of_kind.said.items()}
            found[f"{kind} {name.rpartition('/')[2] if kind == 'queue' else name}"] = _plain(said)
    return found


def _asked(ask: Callable[[Any, str], Any], client: Any, name: str) -> Any:
    """None for what a resource does not have: NoSuchBucketPolicy, ObjectLockConfigurationNotFoundError ..."""
    try:
        return ask(client, name)
    except botocore.exceptions.ClientError as e:
        code = e.response["Error"]["Code"]
        if not code.startswith("NoSuch") and "NotFound" not in code:
            raise
        return None


def _plain(value: Any) -> Any:
    """Documents read, tags and rules by their keys, and what has an order only in writing in one order."""
    match value:
        case str() if value.startswith("{"):
            return _plain(json.loads(value))
        case dict() if "Statement" in value:
            return value | {"Statement": sorted(map(_statement, value["Statement"]), key=json.dumps)}
        case dict():
            return {key: _plain(inner) for key, inner in value.items() if key not in VOLATILE}
        case [{"Key": _, "Value": _}, *_]:
            return {tag["Key"]: tag["Value"] for tag in value}
        case [{"ID": _}, *_]:
            return {rule["ID"]: _plain(rule) for rule in value}
        case list():
            return [_plain(inner) for inner in value]
    return value


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    lists = {
        key: sorted([value] if isinstance(value, str) else value)
        for key, value in statement.items()
        if key.removeprefix("Not") in {"Action", "Resource"}
    }
    return dict(sorted((statement | lists).items()))


def differences(one: dict[str, Said], other: dict[str, Said]) -> dict[str, tuple[Any, Any]]:
    """`kind name:/what/where` -> the two values, None for what is not there or empty."""
    left, right = dict(_leaves(one)), dict(_leaves(other))
    return {
        where: (left.get(where), right.get(where))
        for where in sorted(left.keys() | right.keys())
        if left.get(where) != right.get(where)
    }


def _leaves(described: dict[str, Said]) -> Iterator[tuple[str, Any]]:
    for resource, said in described.items():
        yield resource, "is there"
        for where, value in _below("", said):
            yield f"{resource}:{where}", value


def _below(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _below(f"{where}/{key}", inner)
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for at, inner in enumerate(value):
            yield from _below(f"{where}/{at}", inner)
    elif value not in ("", None, [], {}):
        yield where, value
