"""Configurations of which a bucket may have many, each under an id of its own: kept and answered, and nothing else.

Analytics, intelligent tiering, inventory, metrics: docs.aws.amazon.com/AmazonS3/latest/API/, PutBucket*Configuration.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.s3.buckets import Bucket, Buckets
from localaws.s3.xml import malformed
from localaws.wire import Operation, Parameters

_PAGE = 100
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is in the operations' names and those of their members; the documents are kept under `subresource`."""

    subresource: str
    name: str

    @property
    def member(self) -> str:
        return f"{self.name}Configuration"


KINDS = (
    Kind("analytics", "Analytics"),
    Kind("intelligent-tiering", "IntelligentTiering"),
    Kind("inventory", "Inventory"),
    Kind("metrics", "Metrics"),
)


class Reports:
    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def operations(self) -> dict[str, Operation]:
        found: dict[str, Operation] = {}
        for kind in KINDS:
            found[f"PutBucket{kind.member}"] = functools.partial(self._put, kind)
            found[f"GetBucket{kind.member}"] = functools.partial(self._get, kind)
            found[f"DeleteBucket{kind.member}"] = functools.partial(self._delete, kind)
            found[f"ListBucket{kind.member}s"] = functools.partial(self._list, kind)
        return found

    def _put(self, kind: Kind, p: Parameters) -> Parameters:
        document = p.get(kind.member, {})
        if document.get("Id") != p["Id"]:
            raise malformed()

        def change(kept: Mapping[str, Any]) -> Mapping[str, Any]:
            if len(kept) >= _MOST and p["Id"] not in kept:
                raise AwsError("TooManyConfigurations", "You have exceeded the limit of configurations for this bucket")
            return {**kept, p["Id"]: document}

        self._change(kind, p, change)
        return {}

    def _get(self, kind: Kind, p: Parameters) -> Parameters:
        kept = self._kept(kind, self._buckets.get(p["Bucket"]))
        if p["Id"] not in kept:
            raise _missing()
        return {kind.member: kept[p["Id"]]}

    def _delete(self, kind: Kind, p: Parameters) -> Parameters:
        def change(kept: Mapping[str, Any]) -> Mapping[str, Any]:
            if p["Id"] not in kept:
                raise _missing()
            return {id_: document for id_, document in kept.items() if id_ != p["Id"]}

        self._change(kind, p, change)
        return {}

    def _list(self, kind: Kind, p: Parameters) -> Parameters:
        """In the order of their ids, from the one that the token names."""
        kept = self._kept(kind, self._buckets.get(p["Bucket"]))
        ids = [id_ for id_ in sorted(kept) if id_ >= p.get("ContinuationToken", "")]
        return {
            f"{kind.member}List": [kept[id_] for id_ in ids[:_PAGE]],
            "IsTruncated": len(ids) > _PAGE,
            "ContinuationToken": p.get("ContinuationToken"),
            "NextContinuationToken": ids[_PAGE] if len(ids) > _PAGE else None,
        }

    def _kept(self, kind: Kind, bucket: Bucket) -> Mapping[str, Any]:
        kept: Mapping[str, Any] = bucket.settings.get(kind.subresource, {})
        return kept

    def _change(self, kind: Kind, p: Parameters, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._buckets.set(
            p["Bucket"], lambda bucket: {**bucket.settings, kind.subresource: change(self._kept(kind, bucket))}
        )


def _missing() -> AwsError:
    return AwsError("NoSuchConfiguration", "The specified configuration does not exist.", 404)
