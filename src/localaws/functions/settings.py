"""What is set on a function beside its code and configuration: who may call it, tags, limits.

Stored and answered; of these, `Reserved` and `RecursiveLoop` act (executions.py). S3 asks for its permission when a
bucket is to tell the function something, API Gateway and function URLs at each request. No other permission is
enforced: whoever can sign a request may invoke.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import AwsError
from localaws.functions import packages
from localaws.functions.concurrency import ACCOUNT, check_reserved
from localaws.functions.config import (
    LATEST,
    Reference,
    check_tags,
    conflict,
    invalid,
    is_qualified,
    not_found,
    reference,
)
from localaws.functions.registry import Registry, precondition
from localaws.wire import Operation, Parameters

# AddPermission's parameter -> the condition that it becomes in the policy.
_CONDITIONS: Mapping[str, tuple[str, str]] = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "FunctionUrlAuthType": ("StringEquals", "lambda:FunctionUrlAuthType"),
    "InvokedViaFunctionUrl": ("Bool", "lambda:InvokedViaFunctionUrl"),
}


class Settings:
    def __init__(self, registry: Registry, ids: Callable[[], str]) -> None:
        self._registry = registry
        self._ids = ids
        self.operations: Mapping[str, Operation] = {
            "AddPermission": self._add_permission,
            "RemovePermission": self._remove_permission,
            "GetPolicy": self._get_policy,
            "PutFunctionConcurrency": self._put_concurrency,
            "GetFunctionConcurrency": self._get_concurrency,
            "DeleteFunctionConcurrency": self._delete_concurrency,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTags": lambda p: {"Tags": registry.find(_tagged(p))["Tags"]},
            "PutFunctionRecursionConfig": self._put_recursion,
            "GetFunctionRecursionConfig": self._get_recursion,
            "GetFunctionCodeSigningConfig": self._get_code_signing,
            "GetAccountSettings": self._get_account,
        }

    def _add_permission(self, parameters: Parameters) -> Parameters:
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        if parameters.get("Qualifier") == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        sid = parameters["StatementId"]
        statement = permission(parameters, self._registry.arn(named))
        self._registry.configuration(named)
        with self._registry.change(named.name) as document:
            policy = document["Policies"].setdefault(named.qualifier, {"Statement": []})
            self._check_revision(policy, named, parameters)
            if any(s["Sid"] == sid for s in policy["Statement"]):
                text = f"The statement id ({sid}) provided already exists."
                raise conflict(f"{text} Please provide a new statement id, or remove the existing statement.")
            policy["Statement"].append(statement)
            policy["RevisionId"] = self._ids()
        return {"Statement": _json(statement)}

    def _remove_permission(self, parameters: Parameters) -> Parameters:
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        sid = parameters["StatementId"]
        with self._registry.change(named.name) as document:
            policy = document["Policies"].get(named.qualifier)
            if policy is None:
                raise not_found("No policy is associated with the given resource.")
            self._check_revision(policy, named, parameters)
            statements = policy["Statement"]
            left = [s for s in statements if s["Sid"] != sid]
            if len(left) == len(statements):
                raise not_found(f"Statement {sid} is not found in resource policy.")
            document["Policies"][named.qualifier] = {"Statement": left, "RevisionId": self._ids()}
        return {}

    def _check_revision(self, policy: Mapping[str, Any], named: Reference, parameters: Parameters) -> None:
        """What it belongs to may be named by its revision too: on AWS the two are one."""
        known = {policy.get("RevisionId"), self._registry.revision(named)}
        if "RevisionId" in parameters and parameters["RevisionId"] not in known:
            raise precondition()

    def policy(self, named: Reference) -> Mapping[str, Any] | None:
        """{} for none; None if there is no such function."""
        try:
            policy = self._registry.find(named.name)["Policies"].get(named.qualifier)
        except AwsError:
            return None
        return _document(policy) if policy and policy["Statement"] else {}

    def _get_policy(self, parameters: Parameters) -> Parameters:
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        policy = self._registry.find(named.name)["Policies"].get(named.qualifier)
        if not policy or not policy["Statement"]:
            raise not_found("The resource you requested does not exist.")
        return {"Policy": _json(_document(policy)), "RevisionId": policy["RevisionId"]}

    def _put_concurrency(self, parameters: Parameters) -> Parameters:
        reserved = parameters["ReservedConcurrentExecutions"]
        named = reference(parameters["FunctionName"])
        self._registry.configuration(named)
        if is_qualified(parameters["FunctionName"]):
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                "operation. Please specify either a function name or an unqualified function ARN."
            )
        with self._registry.change(named.name) as document:
            check_reserved(reserved, self._registry.reserved() - (document["Reserved"] or 0))
            document["Reserved"] = reserved
        return {"ReservedConcurrentExecutions": reserved}

    def _get_concurrency(self, parameters: Parameters) -> Parameters:
        reserved = self._registry.find(reference(parameters["FunctionName"]).name)["Reserved"]
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def _delete_concurrency(self, parameters: Parameters) -> Parameters:
        with self._registry.change(reference(parameters["FunctionName"]).name) as document:
            document["Reserved"] = None
        return {}

    def _tag(self, parameters: Parameters) -> Parameters:
        if not parameters["Tags"]:
            raise invalid("An error occurred and the request cannot be processed.")
        with self._registry.change(_tagged(parameters)) as document:
            document["Tags"].update(parameters["Tags"])
            check_tags(document["Tags"])
        return {}

    def _untag(self, parameters: Parameters) -> Parameters:
        with self._registry.change(_tagged(parameters)) as document:
            for key in parameters["TagKeys"]:
                document["Tags"].pop(key, None)
        return {}

    def _put_recursion(self, parameters: Parameters) -> Parameters:
        with self._registry.change(reference(parameters["FunctionName"]).name) as document:
            document["RecursiveLoop"] = parameters["RecursiveLoop"]
        return {"RecursiveLoop": parameters["RecursiveLoop"]}

    def _get_recursion(self, parameters: Parameters) -> Parameters:
        return {"RecursiveLoop": self._registry.find(reference(parameters["FunctionName"]).name)["RecursiveLoop"]}

    def _get_account(self, _: Parameters) -> Parameters:
        """docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html"""
        configurations = self._registry.every_configuration()
        limit = {
            "TotalCodeSize": 80_530_636_800,
            "CodeSizeUnzipped": packages.UNZIPPED_LIMIT,
            "CodeSizeZipped": packages.ZIPPED_LIMIT,
            "ConcurrentExecutions": ACCOUNT,
            "UnreservedConcurrentExecutions": ACCOUNT - self._registry.reserved(),
        }
        usage = {
            "TotalCodeSize": sum(configuration["CodeSize"] for configuration in configurations),
            "FunctionCount": len(self._registry.names()),
        }
        return {"AccountLimit": limit, "AccountUsage": usage}

    def _get_code_signing(self, parameters: Parameters) -> Parameters:
        """There is none, which AWS answers with empty fields; Terraform asks at every refresh."""
        name = reference(parameters["FunctionName"]).name
        self._registry.find(name)
        return {"CodeSigningConfigArn": "", "FunctionName": name}


def _document(policy: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "default", "Statement": policy["Statement"]}


def _tagged(parameters: Parameters) -> str:
    """The name of the function whose tags are asked for."""
    resource = parameters["Resource"]
    if resource.split(":")[5] != "function":
        raise not_found(f"localaws has tags on functions only, and {resource} is none")
    named = reference(resource)
    if resource.count(":") > 6:
        raise invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
    return named.name


def permission(parameters: Mapping[str, Any], arn: str) -> dict[str, Any]:
    """The policy statement that AddPermission makes of its parameters."""
    statement: dict[str, Any] = {
        "Sid": parameters["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(parameters["Principal"]),
        "Action": parameters["Action"],
        "Resource": arn,
    }
    for name, (operator, key) in _CONDITIONS.items():
        if name in parameters:
            value = str(parameters[name]).lower() if operator == "Bool" else parameters[name]
            statement.setdefault("Condition", {}).setdefault(operator, {})[key] = value
    return statement


def _principal(principal: str) -> str | dict[str, str]:
    if principal == "*":
        return principal
    if principal.isdecimal():
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    return {"AWS" if principal.startswith("arn:") else "Service": principal}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))
