"""A browser's form upload: the form, its policy, its signature, and the put that it is. Pure, but for the last.

docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html, -HTTPPOSTForms.html, -HTTPPOSTConstructPolicy.html.
The older signature, a version 2 one, is what presigned posts of older regions have.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from localaws.credentials import Key
from localaws.errors import AwsError
from localaws.s3 import xml as s3_xml
from localaws.s3.access import Access, denied
from localaws.s3.origin import ORIGIN, origin_of
from localaws.s3.wire import parameters
from localaws.sigv4 import Claim, signing_key
from localaws.wire import NOBODY, Body, Caller, Parameters, Request, Response, service_model

_model = service_model("s3")

_BOUNDARY = re.compile(r'multipart/form-data;.*?boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_NAME = re.compile(r'(?:^|;)\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_MOST_FIELDS = 1000
# Of the signature itself, and what a form may carry unseen by its policy.
_UNCHECKED = re.compile(r"awsaccesskeyid|signature|policy|x-amz-signature|file|x-ignore-.*|x-amz-checksum-.*")
_SIGNING = (
    ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"),
    ("AWSAccessKeyId", "Signature"),
)
_STATUSES = frozenset({"200", "201", "204"})


@dataclass(frozen=True, slots=True)
class Form:
    """`fields` by their names in lower case; `file` is the content of the last one."""

    fields: Mapping[str, str]
    file: bytes


def parse(body: bytes, content_type: str) -> Form:
    """Fields behind the file are ignored. Raises MalformedPOSTRequest, InvalidArgument without key or file."""
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise _malformed()
    fields: dict[str, str] = {}
    for name, filename, content in _parts(body, found[1].encode("latin-1", "replace")):
        if name == "file":
            fields["key"] = _key(fields).replace("${filename}", filename)
            return Form(fields, content)
        fields[name] = content.decode("utf-8", "replace")
        if len(fields) > _MOST_FIELDS:
            raise _malformed()
    text = "POST requires exactly one file upload per request."
    raise AwsError("InvalidArgument", text, 400, ArgumentName="file", ArgumentValue="0")


def _key(fields: Mapping[str, str]) -> str:
    if not fields.get("key"):
        raise _missing_field("key")
    return fields["key"]


def _missing_field(name: str) -> AwsError:
    text = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )
    return AwsError("InvalidArgument", text, 400, ArgumentName=name, ArgumentValue="")


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str, bytes]]:
    """(name, filename, content) of each part (RFC 7578)."""
    mark = b"\r\n--" + boundary
    at = len(boundary) + 2 if body.startswith(b"--" + boundary) else -1
    while at >= 0 and body[at : at + 2] == b"\r\n":
        end_of_head, end = body.find(b"\r\n\r\n", at), body.find(mark, at)
        if end_of_head < 0 or end < end_of_head:
            raise _malformed()
        yield (*_names(body[at:end_of_head]), body[end_of_head + 4 : end])
        at = end + len(mark)
    if body[at : at + 2] != b"--":
        raise _malformed()


def _names(head: bytes) -> tuple[str, str]:
    for line in head.decode("utf-8", "replace").split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            names = {name.lower(): text for name, text in _NAME.findall(value)}
            return names.get("name", "").lower(), re.split(r"[/\\]", names.get("filename", ""))[-1]
    raise _malformed()


def _malformed() -> AwsError:
    return AwsError("MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")


# Whose it is, and what its policy allows


def caller(form: Form, find_key: Callable[[str], Key | None], now: float) -> Caller:
    """Who signed the form's policy; nobody, if it has none. Raises for one that is not good."""
    fields = form.fields
    if "policy" not in fields:
        return NOBODY
    wanted = next((names for names in _SIGNING if any(name.lower() in fields for name in names)), None)
    if wanted is None:
        raise denied()
    for name in wanted:
        if name.lower() not in fields:
            text = (
                f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the "
            )
            raise AwsError("InvalidArgument", text + "fields.", 400, ArgumentName=name, ArgumentValue="")
    is_new = wanted is _SIGNING[0]
    scope = fields.get("x-amz-credential", "").split("/")
    if is_new and len(scope) != 5:
        raise AwsError("AuthorizationQueryParametersError", "Error parsing the X-Amz-Credential parameter")
    access_key = scope[0] if is_new else fields["awsaccesskeyid"]
    given = fields["x-amz-signature" if is_new else "signature"]
    key = find_key(access_key)
    token = fields.get("x-amz-security-token")
    if key is None or not _same(key.credentials.session_token or "", token or ""):
        text = "The AWS Access Key Id you provided does not exist in our records."
        raise AwsError("InvalidAccessKeyId", text, 403, AWSAccessKeyId=access_key)
    if key.expires <= now:
        raise AwsError("ExpiredToken", "The provided token has expired.")
    if not _same(_signature(fields["policy"], key.credentials.secret_key, scope if is_new else None), given):
        text = "The request signature we calculated does not match the signature you provided. Check your key and "
        raise AwsError("SignatureDoesNotMatch", text + "signing method.", 403)
    return key.caller


def _signature(policy: str, secret: str, scope: list[str] | None) -> str:
    """Of the policy as it was sent, in base64. `scope`: of a version 4 credential."""
    if scope is None:
        return base64.b64encode(hmac.digest(secret.encode(), policy.encode(), "sha1")).decode()
    access_key, day, region, service, _ = scope
    claim = Claim(access_key, day, region, service, (), "", datetime.fromtimestamp(0, UTC), None)
    return hmac.digest(signing_key(secret, claim), policy.encode(), "sha256").hex()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def check_policy(form: Form, bucket: str, now: float) -> None:
    """Raises InvalidPolicyDocument, or AccessDenied for a form that the policy does not allow."""
    policy = _policy(form.fields["policy"])
    if policy["expiration"] < now:
        raise AwsError("AccessDenied", "Invalid according to Policy: Policy expired.", 403)
    values = {**form.fields, "bucket": bucket}
    left = {name for name in values if not _UNCHECKED.fullmatch(name)}
    for condition in policy["conditions"]:
        operator, name, wanted = condition
        if operator == "content-length-range":
            _check_length(len(form.file), name, wanted)
            continue
        value = values.get(name, "")
        if not (value == wanted if operator == "eq" else value.startswith(wanted)):
            text = f'Invalid according to Policy: Policy Condition failed: ["{operator}", "${name}", "{wanted}"]'
            raise AwsError("AccessDenied", text, 403)
        left.discard(name)
    if left:
        text = f"Invalid according to Policy: Extra input fields: {', '.join(sorted(left))}"
        raise AwsError("AccessDenied", text, 403)


def _check_length(size: int, least: int, most: int) -> None:
    details = {"ProposedSize": str(size)}
    if size < least:
        text = "Your proposed upload is smaller than the minimum allowed size"
        raise AwsError("EntityTooSmall", text, 400, MinSizeAllowed=str(least), **details)
    if size > most:
        text = "Your proposed upload exceeds the maximum allowed size"
        raise AwsError("EntityTooLarge", text, 400, MaxSizeAllowed=str(most), **details)


def _policy(text: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(text, validate=True))
        seconds = "%S.%fZ" if "." in document["expiration"] else "%SZ"
        expiration = datetime.strptime(document["expiration"], f"%Y-%m-%dT%H:%M:{seconds}").replace(tzinfo=UTC)
        conditions = [found for condition in document["conditions"] for found in _conditions(condition)]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as e:
        raise _bad_policy() from e
    if not conditions:
        raise _bad_policy()
    return {"expiration": expiration.timestamp(), "conditions": conditions}


def _conditions(condition: object) -> Iterator[tuple[str, Any, Any]]:
    """(operator, the field's name in lower case, what it must be); of a length: (operator, least, most)."""
    if isinstance(condition, dict) and condition:
        for name, value in condition.items():
            if not isinstance(value, str):
                raise _bad_policy()
            yield "eq", name.lower(), value
        return
    if not isinstance(condition, list) or len(condition) != 3:
        raise _bad_policy()
    operator, first, second = condition
    operator = str(operator).lower()
    if operator == "content-length-range":
        yield operator, int(first), int(second)
    elif operator in {"eq", "starts-with"} and isinstance(second, str) and str(first).startswith("$"):
        yield operator, first[1:].lower(), second
    else:
        raise _bad_policy()


def _bad_policy() -> AwsError:
    return AwsError("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")


# The put that it is, and its answer


@dataclass(frozen=True, slots=True)
class Forms:
    """`put` is PutObject's operation but for its event, `find_key` finds an access key."""

    put: Callable[[Parameters], Parameters]
    access: Access
    find_key: Callable[[str], Key | None]
    clock: Callable[[], float]

    def upload(self, request: Request, bucket: str) -> Response:
        form = parse(request.body.read(), request.headers.get("content-type", ""))
        who, now = caller(form, self.find_key, self.clock()), self.clock()
        if "policy" in form.fields:
            check_policy(form, bucket, now)
        body = Body(form.file, None, len(form.file))
        put = replace(request, method="PUT", query="", headers=headers(form), body=body, caller=who)
        ORIGIN.set(origin_of(put))
        p = parameters("PutObject", bucket, form.fields["key"], put)
        self.access.admit(put, "PutObject", p)
        path = quote(f"/{form.fields['key']}" if request.bucket_host else f"/{bucket}/{form.fields['key']}")
        place = f"http://{request.headers.get('host', '')}{path}"
        return answer(form, bucket, self.put(p)["ETag"], place)


def headers(form: Form) -> dict[str, str]:
    """The form's fields as the headers that a PutObject would have."""
    named = {name: value for name, value in form.fields.items() if name not in {"key", "policy", "signature"}}
    if "acl" in named:
        named["x-amz-acl"] = named.pop("acl")
    if "tagging" in named:
        tagging: Parameters = s3_xml.parse(named.pop("tagging").encode(), _model().shape_for("Tagging"))
        named["x-amz-tagging"] = urlencode([(tag["Key"], tag["Value"]) for tag in tagging["TagSet"]])
    named.setdefault("content-type", "binary/octet-stream")
    return named


def answer(form: Form, bucket: str, etag: str, place: str) -> Response:
    """`place`: the object's URL."""
    redirect = form.fields.get("success_action_redirect", form.fields.get("redirect", ""))
    key = form.fields["key"]
    told = {"etag": etag, "location": place}
    if redirect:
        query = urlencode({"bucket": bucket, "key": key, "etag": etag}, quote_via=quote)
        return Response(303, told | {"location": f"{redirect}{'&' if '?' in redirect else '?'}{query}"})
    status = form.fields.get("success_action_status", "")
    if status != "201":
        return Response(int(status) if status in _STATUSES else 204, told)
    content = {"Location": place, "Bucket": bucket, "Key": key, "ETag": etag}
    elements = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in content.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{elements}</PostResponse>'.encode()
    return Response(201, told | {"content-type": "application/xml"}, body)
