"""Aliases: names for versions, or for two of them by shares.

docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html

A function's document keeps each as AWS answers it. The registry resolves them whenever something is invoked.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import AwsError
from localaws.functions.config import LATEST, Reference, conflict, invalid, not_found, reference
from localaws.functions.paging import page
from localaws.functions.registry import Document, Registry, precondition
from localaws.wire import Operation, Parameters


class Aliases:
    """`deleted` is told of each that is."""

    def __init__(self, registry: Registry, ids: Callable[[], str], deleted: Callable[[Reference], None]) -> None:
        self._registry = registry
        self._ids = ids
        self._deleted = deleted
        self.operations: Mapping[str, Operation] = {
            "CreateAlias": self._create,
            "GetAlias": self._get,
            "UpdateAlias": self._update,
            "DeleteAlias": self._delete,
            "ListAliases": self._list,
        }

    def _create(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        with self._registry.change(named.name) as document:
            if named.qualifier in document["Aliases"]:
                raise conflict(f"Alias already exists: {self._registry.arn(named)}")
            return self._put(document, named, {"Description": "", **parameters})

    def _update(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        with self._registry.change(named.name) as document:
            before = document["Aliases"].get(named.qualifier)
            if before is None:
                raise not_found(f"Alias not found: {self._registry.arn(named)}")
            if parameters.get("RevisionId", before["RevisionId"]) != before["RevisionId"]:
                raise precondition()
            return self._put(document, named, {**before, **parameters})

    def _put(self, document: Document, named: Reference, wanted: Parameters) -> Parameters:
        weights = wanted.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        self._check_versions(document, named.name, wanted["FunctionVersion"], weights)
        alias = {
            "AliasArn": self._registry.arn(named),
            "Name": named.qualifier,
            "FunctionVersion": wanted["FunctionVersion"],
            "Description": wanted["Description"],
            "RevisionId": self._ids(),
            **({"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}),
        }
        document["Aliases"][named.qualifier] = alias
        return alias

    def _check_versions(self, document: Document, name: str, version: str, weights: Mapping[str, Any]) -> None:
        if len(weights) > 1:
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        if weights and version == LATEST:
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
        if version in weights:
            text = f"Function version {version} is already included in routing configuration."
            raise invalid(f"Invalid function version {version}. {text}")
        for one in (version, *weights):
            if one != LATEST and one not in document["Versions"]:
                raise not_found(f"Function not found: {self._registry.arn(Reference(name, one))}")

    def _get(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        alias: Parameters | None = self._registry.find(named.name)["Aliases"].get(named.qualifier)
        if alias is None:
            raise _unknown(self._registry.arn(named))
        return alias

    def _delete(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        with self._registry.change(named.name) as document:
            document["Aliases"].pop(named.qualifier, None)
            for settings in ("EventInvoke", "Policies"):
                document[settings].pop(named.qualifier, None)
        self._deleted(named)
        return {}

    def _list(self, parameters: Parameters) -> Parameters:
        aliases = self._registry.find(reference(parameters["FunctionName"]).name)["Aliases"]
        version = parameters.get("FunctionVersion")
        found = [alias for _, alias in sorted(aliases.items()) if version in {None, alias["FunctionVersion"]}]
        return page("Aliases", found, parameters)


def _named(parameters: Parameters) -> Reference:
    return Reference(reference(parameters["FunctionName"]).name, parameters["Name"])


def _unknown(arn: str) -> AwsError:
    return not_found(f"Cannot find alias arn: {arn}")
