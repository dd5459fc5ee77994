"""The condition keys of a request, which a bucket's policy may ask about. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html; those of all services are iam/context.py's.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from localaws.iam import context as contexts
from localaws.iam.conditions import Context
from localaws.s3.rows import Stored
from localaws.wire import Parameters, Request


def context_of(request: Request, p: Parameters, stored: Stored | None) -> Context:
    found = {
        **contexts.of_headers(request.headers),
        **contexts.of_caller(request.caller),
        "s3:signatureversion": ["AWS4-HMAC-SHA256"],
    }
    query = request.parameters()
    found |= {f"s3:{name}": [query[name]] for name in ("prefix", "delimiter", "max-keys") if name in query}
    found |= {f"s3:{name}": [value] for name, value in request.headers.items() if name.startswith("x-amz-")}
    if "Prefix" in p:
        found["s3:prefix"] = [p["Prefix"]]
    if p.get("VersionId"):
        found["s3:versionid"] = [p["VersionId"]]
    found |= dict(_tags("s3:existingobjecttag", stored.description.tags.items() if stored else ()))
    found |= dict(_tags("s3:requestobjecttag", _requested_tags(p)))
    return found


def _requested_tags(p: Parameters) -> list[tuple[str, str]]:
    if isinstance(p.get("Tagging"), str):
        return parse_qsl(p["Tagging"], keep_blank_values=True)
    return [(tag["Key"], tag["Value"]) for tag in (p.get("Tagging") or {}).get("TagSet", ())]


def _tags(prefix: str, tags: Any) -> Iterator[tuple[str, list[str]]]:
    names = []
    for name, value in tags:
        names.append(name)
        yield f"{prefix}/{name}", [value]
    if names:
        yield f"{prefix}keys", names
