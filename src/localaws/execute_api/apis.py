"""The control plane: APIs and their tags, and the documents that all of an API is in.

A document has what AWS answers of each part: `api`, `tags`, `integrations` and `routes` by their ids, `stages` by their
names, `deployments` by their ids with the `snapshot` that each one is. It is one row of the Store, so an API survives
whatever the Store survives, and a request finds it without waiting for the control plane (moto) to load.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from localaws.execute_api import published, settings
from localaws.execute_api.addresses import endpoint
from localaws.execute_api.settings import bad, not_found
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

Document = dict[str, Any]

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_KEPT = ("Name", "Description", "Version", "CorsConfiguration")
_MOST_TAGS = 50


class Apis:
    """`url` is the endpoint's own, which may be another after a restart."""

    def __init__(self, store: Store, clock: Callable[[], float], ids: Callable[[], str], region: str, url: str) -> None:
        self._store = store
        self._documents = Documents(store, "apigateway.api")
        self._clock = clock
        self._ids = ids
        self._arn = f"arn:aws:apigateway:{region}::/apis/"
        self._url = url
        self._served: dict[str, published.Stages] = {}
        self._changes = 0
        self._changing = threading.Lock()  # `_served` and `_changes`
        self.operations: dict[str, Operation] = {
            "CreateApi": self._create,
            "GetApi": lambda p: self._said(self.get(p["ApiId"])),
            "GetApis": lambda p: page([self._said(found) for _, found in self._documents.items()], p),
            "UpdateApi": self._update,
            "DeleteApi": self._delete,
            "DeleteCorsConfiguration": self._delete_cors,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "GetTags": lambda p: {"Tags": self._tagged(self.get(self._api_of(p)), p)},
        }

    def get(self, api: str) -> Document:
        found = self._documents.get(api)
        if found is None:
            raise not_found(f"Invalid API identifier specified {api}")
        return found

    @contextmanager
    def change(self, api: str) -> Iterator[Document]:
        """The document, written back and durable when the block ends; nobody else changes it meanwhile."""
        with self._store.write():
            document = self.get(api)
            yield document
            self._put(document)

    def new_id(self, length: int) -> str:
        """As AWS's look: lower-case letters and digits, a letter first."""
        number = int(self._ids().replace("-", ""), 16)
        number, first = divmod(number, 26)
        found = _LETTERS[first]
        while len(found) < length:
            number, digit = divmod(number, len(_LETTERS))
            found += _LETTERS[digit]
        return found

    def now(self) -> str:
        return datetime.fromtimestamp(int(self._clock()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def known(self, api: str) -> published.Stages | None:
        """What the API serves, as far as it is in memory."""
        return self._served.get(api)

    def served(self, api: str) -> published.Stages | None:
        """What the API serves; None if there is no such API. It may ask the disk."""
        changes = self._changes
        document = self._documents.get(api)
        if document is None:
            return None
        stages = published.stages(document, self._clock)
        with self._changing:
            if changes == self._changes:  # else it may be of before the change
                self._served[api] = stages
        return stages

    def _put(self, document: Document) -> None:
        self._documents.put(document["api"]["ApiId"], document)
        self._store.when_committed(lambda: self._forget(document["api"]["ApiId"]))

    def _forget(self, api: str) -> None:
        with self._changing:
            self._changes += 1
            self._served.pop(api, None)

    def _said(self, document: Document) -> Parameters:
        return {
            **document["api"],
            "ApiEndpoint": endpoint(self._url, document["api"]["ApiId"]),
            "Tags": document["tags"],
        }

    def _create(self, p: Parameters) -> Parameters:
        settings.check("api", p)
        api = {
            "ApiId": self.new_id(10),
            "ApiKeySelectionExpression": "$request.header.x-api-key",
            "CreatedDate": self.now(),
            "DisableExecuteApiEndpoint": False,
            "IpAddressType": "ipv4",
            "ProtocolType": "HTTP",
            "RouteSelectionExpression": settings.ROUTE_SELECTION,
        }
        api |= {name: p[name] for name in _KEPT if p.get(name)}
        document: Document = {"api": api, "tags": _checked_tags(p.get("Tags", {}))}
        document |= {kind: {} for kind in ("integrations", "routes", "stages", "deployments")}
        with self._store.write():
            self._put(document)
        return self._said(document)

    def _update(self, p: Parameters) -> Parameters:
        settings.check("api", p)
        with self.change(p["ApiId"]) as document:
            document["api"] |= {name: p[name] for name in _KEPT if name in p}
            for name in ("Description", "Version"):
                if not document["api"].get(name):
                    document["api"].pop(name, None)
            self.deploy_automatically(document)
        return self._said(document)

    def _delete(self, p: Parameters) -> Parameters:
        with self._store.write():
            self.get(p["ApiId"])
            self._documents.delete(p["ApiId"])
            self._store.when_committed(lambda: self._forget(p["ApiId"]))
        return {}

    def _delete_cors(self, p: Parameters) -> Parameters:
        with self.change(p["ApiId"]) as document:
            document["api"].pop("CorsConfiguration", None)
            self.deploy_automatically(document)
        return {}

    def deploy_automatically(self, document: Document) -> None:
        """The stages that want it have a new deployment. What they serve is the API as it is, so there is no snapshot;
        and of the deployments made so the last is kept."""
        for stage in document["stages"].values():
            if stage.get("AutoDeploy"):
                before = document["deployments"].get(stage.get("DeploymentId", ""), {})
                if before.get("AutoDeployed"):
                    del document["deployments"][stage["DeploymentId"]]
                stage["DeploymentId"] = made = self.new_id(6)
                stage["LastDeploymentStatusMessage"] = f"Successfully deployed stage with deployment ID '{made}'"
                document["deployments"][made] = {**self.deployment(made), "AutoDeployed": True}

    def deployment(self, made: str) -> Document:
        return {"DeploymentId": made, "AutoDeployed": False, "CreatedDate": self.now(), "DeploymentStatus": "DEPLOYED"}

    # Tags, of APIs and stages: arn:aws:apigateway:REGION::/apis/ID and .../stages/NAME

    def _api_of(self, p: Parameters) -> str:
        arn = unquote(p["ResourceArn"])
        if not arn.startswith(self._arn):
            raise not_found(f"Invalid resource ARN {arn}: APIs of this region and their stages have tags here")
        return arn[len(self._arn) :].partition("/")[0]

    def _tagged(self, document: Document, p: Parameters) -> Document:
        name = unquote(p["ResourceArn"]).partition("/stages/")[2]
        if not name:
            tags: Document = document["tags"]
            return tags
        if name not in document["stages"]:
            raise not_found(f"Invalid stage identifier specified {name}")
        of_stage: Document = document["stages"][name]["Tags"]
        return of_stage

    def _tag(self, p: Parameters) -> Parameters:
        with self.change(self._api_of(p)) as document:
            tags = self._tagged(document, p)
            tags |= _checked_tags(tags | p.get("Tags", {}))
        return {}

    def _untag(self, p: Parameters) -> Parameters:
        with self.change(self._api_of(p)) as document:
            tags = self._tagged(document, p)
            for key in p["TagKeys"]:
                tags.pop(key, None)
        return {}


def _checked_tags(tags: Document) -> Document:
    if len(tags) > _MOST_TAGS:
        raise bad(f"A resource has {_MOST_TAGS} tags at most")
    return tags


def page(items: list[Parameters], p: Parameters) -> Parameters:
    """MaxResults and NextToken of a list; both are texts in this API."""
    start, most = (p.get(name) or default for name, default in (("NextToken", "0"), ("MaxResults", "500")))
    if not (start.isdecimal() and most.isdecimal() and int(most)):
        raise bad("Invalid nextToken or maxResults")
    end = int(start) + int(most)
    return {"Items": items[int(start) : end], **({"NextToken": str(end)} if end < len(items) else {})}
