"""Every function with its versions and settings, durable: one document each.

    Configuration   $LATEST, as GetFunctionConfiguration answers it (config.py)
    Versions        number -> published configuration; Published is the last number given, PublishedFrom what
                    $LATEST was then
    Aliases         name -> alias, as GetAlias answers it (aliases.py)
    Tags, Policies, EventInvoke, Reserved, RecursiveLoop    settings.py

Not done: event source mappings, provisioned concurrency.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from localaws.errors import AwsError
from localaws.functions import packages
from localaws.functions.config import (
    LATEST,
    Configuration,
    Reference,
    conflict,
    created,
    invalid,
    listed,
    not_found,
    published,
    qualified,
    reference,
    same_content,
    stamped,
    updated,
    with_code,
)
from localaws.functions.paging import page
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

Document = dict[str, Any]


class Registry:
    """`fetch(bucket, key)` reads a package from S3; `layers(arns)` is what a configuration says of them. Names in
    Parameters may be ARNs and carry a qualifier."""

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        fetch: Callable[[str, str], bytes],
        layers: Callable[[list[str]], list[dict[str, Any]]],
    ) -> None:
        self._store = store
        self._functions = Documents(store, "lambda.function")
        self._home = root / "functions"
        self._clock = clock
        self._ids = ids
        self._prefix = f"arn:aws:lambda:{region}:{account}:function:"
        self._region = region
        self._fetch = fetch
        self._layers = layers
        self._packages = threading.Lock()  # a package being unpacked is not yet in any document
        self.operations: Mapping[str, Operation] = {
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_configuration,
            "ListFunctions": self._list_functions,
            "ListVersionsByFunction": self._list_versions,
            "PublishVersion": self._publish_version,
        }

    def names(self) -> list[str]:
        return [name for name, _ in self._functions.items()]

    def arn(self, named: Reference) -> str:
        return self._prefix + named.name + ("" if named.qualifier == LATEST else f":{named.qualifier}")

    def find(self, name: str) -> Document:
        """The function's document; ResourceNotFoundException."""
        document = self._functions.get(name)
        if document is None:
            raise not_found(f"Function not found: {self._prefix}{name}")
        return {"Aliases": {}, **document}  # one that was made before there were aliases has none

    def configuration(self, named: Reference) -> Configuration:
        """That of $LATEST, of a version or of an alias's version; ResourceNotFoundException."""
        if self._functions.get(named.name) is None:
            raise not_found(f"Function not found: {self.arn(named)}")
        return self._version(self.find(named.name), named)

    def resolve(self, named: Reference, chance: float) -> Reference:
        """The version that runs; `chance`, at least 0 and below 1, decides between an alias's two."""
        alias = self.find(named.name)["Aliases"].get(named.qualifier)
        if alias is None:
            return named
        for version, weight in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}).items():
            if chance < weight:
                return Reference(named.name, version)
        return Reference(named.name, alias["FunctionVersion"])

    def revision(self, named: Reference) -> str:
        """The RevisionId of $LATEST, of a version or of an alias. ResourceNotFoundException."""
        document = self.find(named.name)
        alias = document["Aliases"].get(named.qualifier)
        return str((alias or self._version(document, named))["RevisionId"])

    def revisions(self, name: str) -> frozenset[str]:
        """The RevisionIds under which its code may run."""
        document = self.find(name)
        return frozenset(c["RevisionId"] for c in (document["Configuration"], *document["Versions"].values()))

    def every_configuration(self) -> list[Configuration]:
        """$LATEST and the versions of all functions."""
        return [c for _, d in self._functions.items() for c in (d["Configuration"], *d["Versions"].values())]

    def reserved(self) -> int:
        """The concurrency that all functions have reserved together."""
        return sum(document["Reserved"] or 0 for _, document in self._functions.items())

    @contextmanager
    def change(self, name: str) -> Iterator[Document]:
        """The document to change in place; durable when the block ends, unchanged if it raises."""
        with self._store.write():
            document = self.find(name)
            yield document
            self._functions.put(name, document)

    def create(self, parameters: Parameters) -> Configuration:
        name = reference(parameters["FunctionName"]).name
        configuration = created(self._with_layers(parameters), self._prefix + name, self._region)
        data = packages.read(parameters["Code"], self._fetch)
        with self._packages:
            self._refuse_existing(name)
            package = packages.store(self._home, name, data)
            configuration = self._stamped(with_code(configuration, package.sha256, package.size))
            document: Document = {
                "Configuration": configuration,
                "Versions": {},
                "Published": 0,
                "Aliases": {},
                "Tags": parameters.get("Tags") or {},
                "Policies": {},
                "EventInvoke": {},
                "Reserved": None,
                "RecursiveLoop": "Terminate",
            }
            answer = _publish(document, None, self._ids()) if parameters.get("Publish") else configuration
            self._functions.put(name, document)
        return answer

    def _refuse_existing(self, name: str) -> None:
        if self._functions.get(name) is not None:
            raise conflict(f"Function already exist: {name}")

    def update_code(self, parameters: Parameters) -> Configuration:
        name = _named(parameters).name
        _check_revision(self.find(name), parameters)
        data = packages.read(parameters, self._fetch)
        with self._packages:
            package = packages.store(self._home, name, data)
            return self._set_code(name, package, parameters)

    def _set_code(self, name: str, package: packages.Package, parameters: Parameters) -> Configuration:
        with self.change(name) as document:
            _check_revision(document, parameters)
            configuration = with_code(document["Configuration"], package.sha256, package.size)
            if "Architectures" in parameters:
                configuration["Architectures"] = parameters["Architectures"]
            if parameters.get("DryRun"):
                return configuration
            document["Configuration"] = self._stamped(configuration)
            return _publish(document, None, self._ids()) if parameters.get("Publish") else document["Configuration"]

    def update_configuration(self, parameters: Parameters) -> Configuration:
        with self.change(_named(parameters).name) as document:
            _check_revision(document, parameters)
            document["Configuration"] = self._stamped(
                updated(document["Configuration"], self._with_layers(parameters), self._region)
            )
            configuration: Configuration = document["Configuration"]
            return configuration

    def delete(self, named: Reference) -> None:
        """The whole function, or one published version of it."""
        if named.qualifier == LATEST:
            self.find(named.name)
            self._functions.delete(named.name)
            return
        with self.change(named.name) as document:
            if used := [name for name, alias in document["Aliases"].items() if named.qualifier in _versions(alias)]:
                text = f"Unable to delete version because the following aliases reference it: [{', '.join(used)}]"
                raise conflict(text)
            document["Versions"].pop(named.qualifier, None)  # AWS is content if there was none

    def forget_code(self, name: str) -> None:
        """Delete the code of a function that is gone, unless there is one of that name again."""
        with self._packages:
            if self._functions.get(name) is None:
                shutil.rmtree(self._home / name, ignore_errors=True)

    def sweep_code(self) -> None:
        """Delete replaced packages. Only before the first worker runs."""
        for name, document in self._functions.items():
            used = [c["CodeSha256"] for c in (document["Configuration"], *document["Versions"].values())]
            packages.sweep(self._home, name, used)

    def _with_layers(self, parameters: Parameters) -> Parameters:
        return {**parameters, "Layers": self._layers(parameters["Layers"])} if "Layers" in parameters else parameters

    def _stamped(self, configuration: Configuration) -> Configuration:
        return stamped(configuration, self._clock(), self._ids())

    def _version(self, document: Document, named: Reference) -> Configuration:
        alias = document["Aliases"].get(named.qualifier)
        version = alias["FunctionVersion"] if alias else named.qualifier
        found: Configuration | None = document["Versions"].get(version)
        if version == LATEST:
            found = document["Configuration"]
        if found is None:
            raise not_found(f"Function not found: {self.arn(named)}")
        return {**found, "FunctionArn": alias["AliasArn"]} if alias else found

    def _get_configuration(self, parameters: Parameters) -> Parameters:
        configuration = self.configuration(_named(parameters))
        return qualified(configuration) if parameters.get("Qualifier") == LATEST else configuration

    def _get_function(self, parameters: Parameters) -> Parameters:
        named = _named(parameters)
        document = self.find(named.name)
        configuration = self._version(document, named)
        archive = packages.archive(self._home, named.name, configuration["CodeSha256"])
        answer: Parameters = {
            "Configuration": self._get_configuration(parameters),
            "Code": {"RepositoryType": "S3", "Location": archive.as_uri()},
        }
        if document["Tags"]:
            answer["Tags"] = document["Tags"]
        if document["Reserved"] is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": document["Reserved"]}
        return answer

    def _list_functions(self, parameters: Parameters) -> Parameters:
        documents = [document for _, document in self._functions.items()]
        found = [document["Configuration"] for document in documents]
        if parameters.get("FunctionVersion") == "ALL":
            found = [c for d in documents for c in (qualified(d["Configuration"]), *d["Versions"].values())]
        return page("Functions", [listed(configuration) for configuration in found], parameters)

    def _list_versions(self, parameters: Parameters) -> Parameters:
        document = self.find(_named(parameters).name)
        versions = [qualified(document["Configuration"]), *document["Versions"].values()]
        return page("Versions", [listed(configuration) for configuration in versions], parameters)

    def _publish_version(self, parameters: Parameters) -> Parameters:
        with self.change(_named(parameters).name) as document:
            _check_revision(document, parameters)
            current = document["Configuration"]["CodeSha256"]
            if (given := parameters.get("CodeSha256") or current) != current:
                text = f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current})."
                raise invalid(f"{text} Please try again with the CodeSHA256 in $LATEST.")
            return _publish(document, parameters.get("Description"), self._ids())


def _named(parameters: Parameters) -> Reference:
    return reference(parameters["FunctionName"], parameters.get("Qualifier"))


def _check_revision(document: Document, parameters: Parameters) -> None:
    if parameters.get("RevisionId", document["Configuration"]["RevisionId"]) != document["Configuration"]["RevisionId"]:
        raise precondition()


def precondition() -> AwsError:
    text = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
    return AwsError("PreconditionFailedException", text + "retrieve the latest Revision Id", 412, Type="User")


def _versions(alias: Parameters) -> set[str]:
    return {alias["FunctionVersion"], *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})}


def _publish(document: Document, description: str | None, revision: str) -> Configuration:
    """Freeze $LATEST under the next number; the last version is given again if nothing has changed since."""
    last: Configuration | None = document["Versions"].get(str(document["Published"]))
    if last is not None and same_content(document.get("PublishedFrom", {}), document["Configuration"]):
        return last
    document["PublishedFrom"] = document["Configuration"]
    document["Published"] += 1
    version = str(document["Published"])
    document["Versions"][version] = published(document["Configuration"], version, description, revision)
    configuration: Configuration = document["Versions"][version]
    return configuration
