"""Access control lists: who is granted what of a bucket or an object. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html. Grants are kept as they are on the wire:
{"Grantee": {"Type": ..., "ID" or "URI": ...}, "Permission": ...}. Their order means nothing. Grantees by e-mail
address, which S3 ended in October 2025, are refused.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from localaws.errors import AwsError
from localaws.s3.accounts import canonical_id, owner
from localaws.wire import Parameters

Permission = Literal["READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"]
Grants = Sequence[Mapping[str, Any]]

_GROUPS = "http://acs.amazonaws.com/groups/"
EVERYBODY = f"{_GROUPS}global/AllUsers"
_AUTHENTICATED = f"{_GROUPS}global/AuthenticatedUsers"
_LOG_DELIVERY = f"{_GROUPS}s3/LogDelivery"
_PUBLIC = frozenset({EVERYBODY, _AUTHENTICATED})
_PERMISSIONS = frozenset({"READ", "WRITE", "READ_ACP", "WRITE_ACP", "FULL_CONTROL"})

# userguide/acl-overview.html#canned-acl: what each grants beside the owner's FULL_CONTROL. "" is the bucket's owner.
_CANNED: Mapping[str, Sequence[tuple[str, str]]] = {
    "private": (),
    "public-read": ((EVERYBODY, "READ"),),
    "public-read-write": ((EVERYBODY, "READ"), (EVERYBODY, "WRITE")),
    "authenticated-read": ((_AUTHENTICATED, "READ"),),
    "aws-exec-read": (),  # to EC2, for images
    "log-delivery-write": ((_LOG_DELIVERY, "WRITE"), (_LOG_DELIVERY, "READ_ACP")),
    "bucket-owner-read": (("", "READ"),),
    "bucket-owner-full-control": (("", "FULL_CONTROL"),),
}
HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*', re.ASCII)
_ID = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")


def private(account: str) -> list[Mapping[str, Any]]:
    """What there is without another wish: all to the owner."""
    return [_to_account(account, "FULL_CONTROL")]


def of_headers(p: Parameters, account: str, bucket_account: str) -> list[Mapping[str, Any]] | None:
    """The list that x-amz-acl or the x-amz-grant-* headers ask for; None if there are none of them.

    `account` owns what gets the list, `bucket_account` the bucket that it is or lies in.
    """
    granted = [name for name in HEADERS if p.get(name)]
    if p.get("ACL") and granted:
        raise AwsError("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if p.get("ACL"):
        return _canned(p["ACL"], account, bucket_account)
    if granted:
        return [grant for name in granted for grant in _of_header(p[name], HEADERS[name])]
    return None


def _canned(name: str, account: str, bucket_account: str) -> list[Mapping[str, Any]]:
    if name not in _CANNED:
        raise AwsError("InvalidArgument", "", 400, ArgumentName="x-amz-acl", ArgumentValue=name)
    grants: list[Mapping[str, Any]] = []
    for to, permission in _CANNED[name]:
        if to:
            grants.append({"Grantee": {"Type": "Group", "URI": to}, "Permission": permission})
        elif account != bucket_account:
            grants.append(_to_account(bucket_account, permission))
    return [*grants, *private(account)]


def _of_header(header: str, permission: str) -> Iterable[Mapping[str, Any]]:
    for item in header.split(","):
        found = _GRANTEE.fullmatch(item)
        if found is None:
            raise AwsError("InvalidArgument", "Argument format not recognized", 400, ArgumentValue=header)
        kind, value = found.groups()
        types = {"id": ("CanonicalUser", "ID"), "uri": ("Group", "URI")}
        type_, member = types.get(kind, ("AmazonCustomerByEmail", "EmailAddress"))
        yield _grant({"Grantee": {"Type": type_, member: value}, "Permission": permission}, "id", "uri")


def of_document(policy: Parameters, account: str) -> list[Mapping[str, Any]]:
    """The list of an AccessControlPolicy, whose owner must be the one that there is."""
    if "ID" not in policy.get("Owner", {}) or "Grants" not in policy:
        raise _malformed()
    if not _ID.fullmatch(policy["Owner"]["ID"]):
        raise _no_id("CanonicalUser/ID", policy["Owner"]["ID"])
    if policy["Owner"]["ID"] != canonical_id(account):
        raise AwsError("AccessDenied", "Access Denied", 403)
    return [_grant(grant, "CanonicalUser/ID", "Group/URI") for grant in policy["Grants"]]


def _malformed() -> AwsError:
    text = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedACLError", text)


def _no_id(argument: str, value: str) -> AwsError:
    return AwsError("InvalidArgument", "Invalid id", 400, ArgumentName=argument, ArgumentValue=value)


def _grant(grant: Mapping[str, Any], id_argument: str, uri_argument: str) -> Mapping[str, Any]:
    """The grant as it is kept, its grantee known to be one."""
    grantee = grant.get("Grantee", {})
    if grant.get("Permission") not in _PERMISSIONS or "Type" not in grantee:
        raise _malformed()
    if grantee["Type"] == "CanonicalUser":
        if not _ID.fullmatch(grantee.get("ID", "")):
            raise _no_id(id_argument, grantee.get("ID", ""))
        kept = {"Type": "CanonicalUser", "ID": grantee["ID"]}
    elif grantee["Type"] == "Group":
        if grantee.get("URI") not in {*_PUBLIC, _LOG_DELIVERY}:
            details = {"ArgumentName": uri_argument, "ArgumentValue": grantee.get("URI", "")}
            raise AwsError("InvalidArgument", "Invalid group uri", 400, **details)
        kept = {"Type": "Group", "URI": grantee["URI"]}
    else:
        text = "The email address you provided does not match any account on record."
        raise AwsError("UnresolvableGrantByEmailAddress", text)
    return {"Grantee": kept, "Permission": grant["Permission"]}


def _to_account(account: str, permission: str) -> Mapping[str, Any]:
    return {"Grantee": {"Type": "CanonicalUser", "ID": canonical_id(account)}, "Permission": permission}


def allows(grants: Grants, account: str, permission: str, ignore_public: bool) -> bool:
    """Has the account (nobody: "") the permission? `ignore_public`: as if nothing were granted to all."""
    groups = set() if ignore_public else {EVERYBODY, _AUTHENTICATED} if account else {EVERYBODY}
    for grant in grants:
        grantee = grant["Grantee"]
        is_meant = grantee.get("URI") in groups or (account and grantee.get("ID") == canonical_id(account))
        if is_meant and grant["Permission"] in {permission, "FULL_CONTROL"}:
            return True
    return False


def is_public(grants: Grants) -> bool:
    return any(grant["Grantee"].get("URI") in _PUBLIC for grant in grants)


def of_request(p: Parameters, account: str, bucket_account: str) -> list[Mapping[str, Any]]:
    """The list that a Put...Acl brings, in headers or as a document."""
    of_header = of_headers(p, account, bucket_account)
    document = p.get("AccessControlPolicy")
    if of_header is not None and document is not None:
        raise AwsError("UnexpectedContent", "This request does not support content")
    if of_header is not None:
        return of_header
    if document is None:
        raise AwsError("MissingSecurityHeader", "Your request was missing a required header", 400)
    return of_document(document, account)


def answer(grants: Grants, account: str) -> Parameters:
    """Get...Acl's answer, the owner's own grants first."""
    of_owner = canonical_id(account)
    ordered = sorted(grants, key=lambda grant: grant["Grantee"].get("ID") != of_owner)
    return {"Owner": owner(account), "Grants": ordered}
