"""Function URLs: an address of its own for a function or an alias, for anybody (AuthType NONE).

docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html. What answers there is execute_api/function_url.py. Refused
by name: AuthType AWS_IAM and response streaming.
"""

import base64
import hashlib
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from localaws.errors import AwsError
from localaws.functions.config import LATEST, Reference, conflict, invalid, not_found, reference
from localaws.functions.paging import page
from localaws.functions.registry import Registry
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

_QUALIFIER = re.compile(r"(?!^\d+$)^[0-9a-zA-Z-_]+$")


class Urls:
    """A document is by function and qualifier, and has what AWS answers of it, with the address's `Id` instead of the
    address: `address(id)` makes it."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        clock: Callable[[], float],
        ids: Callable[[], str],
        address: Callable[[str], str],
    ) -> None:
        self._store = store
        self._documents = Documents(store, "lambda.url")
        self._registry = registry
        self._clock = clock
        self._ids = ids
        self._address = address
        self._known: Mapping[str, tuple[str, Mapping[str, Any]]] | None = None
        self._changing = threading.Lock()  # `_known`, from reading the documents until it is set
        self.operations: dict[str, Operation] = {
            "CreateFunctionUrlConfig": self._create,
            "GetFunctionUrlConfig": lambda p: self._said(self._get(_named(p))),
            "UpdateFunctionUrlConfig": self._update,
            "DeleteFunctionUrlConfig": self._delete,
            "ListFunctionUrlConfigs": self._list,
        }

    def find(self, url_id: str) -> tuple[str, Mapping[str, Any]] | None:
        """The function's or alias's ARN, and the CORS settings, of an address; it may ask the disk."""
        with self._changing:
            if self._known is None:
                every = (found for _, found in self._documents.items())
                self._known = {found["Id"]: (found["FunctionArn"], found.get("Cors", {})) for found in every}
            return self._known.get(url_id)

    def forget(self, named: Reference) -> None:
        """With a function all of its addresses go, with an alias its own."""
        prefix = f"{named.name}:" if named.qualifier == LATEST else f"{named.name}:{named.qualifier}"
        for name, _ in self._documents.items(prefix):
            if named.qualifier == LATEST or name == prefix:
                self._documents.delete(name)
        self._changed()

    def _changed(self) -> None:
        with self._changing:
            self._known = None

    def _get(self, named: Reference) -> Parameters:
        found = self._documents.get(f"{named.name}:{named.qualifier}")
        if found is None:
            raise not_found("The resource you requested does not exist.")
        return found

    def _said(self, found: Parameters) -> Parameters:
        shown = {name: value for name, value in found.items() if name != "Id"}
        return shown | {"FunctionUrl": self._address(found["Id"])}

    def _create(self, p: Parameters) -> Parameters:
        named = _named(p)
        _check(p)
        try:
            self._registry.configuration(named)
        except AwsError as e:
            raise not_found("Function does not exist") from e
        now = self._now()
        arn = self._registry.arn(named)
        made = {"AuthType": p["AuthType"], "CreationTime": now, "FunctionArn": arn, "Id": _new_id(self._ids())}
        made |= {"Cors": p["Cors"]} if p.get("Cors") else {}
        with self._store.write():
            if self._documents.get(f"{named.name}:{named.qualifier}") is not None:
                text = f"Failed to create function url config for [functionArn = {arn}]. Error message:  "
                raise conflict(f"{text}FunctionUrlConfig exists for this Lambda function")
            kept = {**made, "InvokeMode": "BUFFERED", "LastModifiedTime": now}
            self._documents.put(f"{named.name}:{named.qualifier}", kept)
        self._changed()
        return self._said(made)

    def _update(self, p: Parameters) -> Parameters:
        named = _named(p)
        _check(p)
        with self._store.write():
            found = self._get(named) | {"LastModifiedTime": self._now()}
            found |= {"Cors": p["Cors"]} if "Cors" in p else {}
            self._documents.put(f"{named.name}:{named.qualifier}", found)
        self._changed()
        return {name: value for name, value in self._said(found).items() if name != "InvokeMode"}

    def _delete(self, p: Parameters) -> Parameters:
        named = _named(p)
        self._get(named)
        self._documents.delete(f"{named.name}:{named.qualifier}")
        self._changed()
        return {}

    def _list(self, p: Parameters) -> Parameters:
        name = reference(p["FunctionName"]).name
        if name not in self._registry.names():
            raise not_found("Function does not exist")
        return page("FunctionUrlConfigs", [self._said(found) for _, found in self._documents.items(f"{name}:")], p)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _named(p: Parameters) -> Reference:
    qualifier = p.get("Qualifier")
    if qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
        rule = r"Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)"
        text = f"Value '{qualifier}' at 'qualifier' failed to satisfy constraint: {rule}"
        raise AwsError("ValidationException", f"1 validation error detected: {text}")
    return reference(p["FunctionName"], qualifier)


def _check(p: Parameters) -> None:
    if p.get("AuthType", "NONE") != "NONE":
        raise invalid(
            "localaws has no function URLs with AWS_IAM: AuthType NONE, and the function's policy, say who may"
        )
    if p.get("InvokeMode", "BUFFERED") != "BUFFERED":
        raise invalid("localaws has no response streaming")


def _new_id(unique: str) -> str:
    """32 letters and digits, as AWS's look."""
    return base64.b32encode(hashlib.sha256(unique.encode()).digest()).decode().lower()[:32]
