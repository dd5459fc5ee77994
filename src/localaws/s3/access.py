"""Who may do what: ownership, bucket policy, access lists, public access block.

docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html. Unless IAM's policies are enforced
(`judge`), whoever is of an account may do all that the account may, if the bucket's policy does not deny it.

Which permission an operation needs is rules.py's. `Access` decides, before the operation runs, and tells it whose what
it makes will be.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from localaws.errors import AwsError
from localaws.iam.conditions import Context
from localaws.iam.policies import Ask, Document, names_of, parsed, verdict
from localaws.s3 import acl as s3_acl
from localaws.s3 import lock as s3_lock
from localaws.s3 import policy as s3_policy
from localaws.s3.accounts import canonical_id
from localaws.s3.buckets import Bucket, Buckets
from localaws.s3.description import BUCKETS_ENCRYPTION, LOCK
from localaws.s3.policy_context import context_of
from localaws.s3.rows import Stored
from localaws.s3.rules import LIST, OF_ACCOUNT, READ, RULES, UPLOADS, Rule, further
from localaws.wire import Caller, Parameters, Request

CALLER = "Account"
"""The caller's account, "" for nobody: a word among an operation's parameters that no operation of S3 has."""
BUCKET_OWNER = "BucketOwner"
"""Likewise: the account that the bucket is of."""
REFUSED = "Refused"
"""Likewise, of an item of DeleteObjects: why it may not be deleted."""
ACCESS = "Access"
"""Likewise: the owner and the grants of an object to be, {} for the bucket owner's alone."""


# That the account itself may do whatever its bucket's policy denies, lest nobody could ever change that.
_NEVER_LOST = frozenset({"s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"})
_READS = frozenset({"GetObject", "HeadObject"})
_KEY_ID = re.compile("(mrk-)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_OWNER_HEADERS = {"x-amz-expected-bucket-owner": "Bucket", "x-amz-source-expected-bucket-owner": "CopySource"}


def denied(why: str = "") -> AwsError:
    return AwsError("AccessDenied", f"Access Denied: {why}" if why else "Access Denied", 403)


def blocks(settings: Mapping[str, Any], what: str) -> bool:
    return bool(settings.get("publicAccessBlock", {}).get(what))


def ownership(settings: Mapping[str, Any]) -> str:
    """Without the controls every object is its writer's."""
    rules = settings.get("ownershipControls", {}).get("Rules", ({"ObjectOwnership": "ObjectWriter"},))
    found: str = rules[0]["ObjectOwnership"]
    return found


def grants_of(bucket: Bucket) -> s3_acl.Grants:
    acl = bucket.settings.get("acl")
    return s3_acl.private(bucket.owner) if acl is None or _is_enforced(bucket) else acl["Grants"]


def object_owner(bucket: Bucket, stored: Stored) -> str:
    owner: str = stored.description.access.get("Owner", bucket.owner)
    return bucket.owner if _is_enforced(bucket) else owner


def object_grants(bucket: Bucket, stored: Stored) -> s3_acl.Grants:
    owner = object_owner(bucket, stored)
    grants: s3_acl.Grants = stored.description.access.get("Grants", s3_acl.private(owner))
    return s3_acl.private(owner) if _is_enforced(bucket) else grants


def _is_enforced(bucket: Bucket) -> bool:
    return ownership(bucket.settings) == "BucketOwnerEnforced"


def check_list(settings: Mapping[str, Any], grants: s3_acl.Grants, owner: str, code: str) -> None:
    """May a bucket of these settings, or an object in it, have this access list? `code`: the error if it can't be."""
    if ownership(settings) == "BucketOwnerEnforced" and list(grants) != s3_acl.private(owner):
        raise AwsError(code, _LIST_ERRORS[code])
    if blocks(settings, "BlockPublicAcls") and s3_acl.is_public(grants):
        raise denied("the list is public, which the bucket's public access block prevents")


def check_supported(bucket: Bucket, p: Parameters) -> None:
    """Where access lists don't count no request may bring one, but for the one that says nothing else."""
    brings = any(p.get(name) for name in ("ACL", "AccessControlPolicy", *s3_acl.HEADERS))
    if brings and _is_enforced(bucket) and p.get("ACL") != "bucket-owner-full-control":
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs")


_LIST_ERRORS = {
    "AccessControlListNotSupported": "The bucket does not allow ACLs",
    "InvalidBucketAclWithObjectOwnership": "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced "
    "setting",
}


def is_public(bucket: Bucket) -> bool:
    """What GetBucketPolicyStatus says: by its policy, or by its list."""
    policy = _policy(bucket)
    by_list = s3_acl.is_public(grants_of(bucket)) and not blocks(bucket.settings, "IgnorePublicAcls")
    return by_list or (policy is not None and s3_policy.is_public(policy))


def _policy(bucket: Bucket) -> Document | None:
    kept = bucket.settings.get("policy")
    return None if kept is None else parsed(kept["Text"])


Judge = Callable[[Caller, str, Parameters, Context, Document | None], None]
"""(caller, action, the Bucket and Key that it is about, condition keys, the bucket's policy)"""


@dataclass(frozen=True, slots=True)
class Access:
    """`find(bucket, key, version)`: the object, None if there is none. `judge` raises AccessDenied for what the
    caller's own policies don't allow; without it they don't count."""

    buckets: Buckets
    find: Callable[[str, str, str | None], Stored | None]
    clock: Callable[[], float]
    judge: Judge | None = None

    def admit(self, request: Request, operation: str, p: Parameters) -> None:
        """Raises AccessDenied. `p` gets CALLER, BUCKET_OWNER and, for what makes an object, ACCESS. Of a bucket that
        does not exist the operation tells."""
        account = request.caller.account
        p[CALLER] = account
        if operation in OF_ACCOUNT:
            if not account:
                raise denied("the request is not signed; see: clicklake env")
            self._judge(request, None, OF_ACCOUNT[operation], p, None)
            return
        bucket = self.buckets.find(p["Bucket"])
        if bucket is None:
            return
        p[BUCKET_OWNER] = bucket.owner
        _check_expected_owner(request, "Bucket", bucket)
        if "CopySource" in p:
            self._admit_copy(request, p)
        if operation == "DeleteObjects":
            self._admit_deletions(request, bucket, p)
        else:
            self.check(request, bucket, RULES.get(operation, Rule(f"s3:{operation}")), p)
        for rule in further(operation, p) if self.judge is not None else ():
            self._judge(request, bucket, rule, p, None)
        if operation in UPLOADS:
            p[ACCESS] = new_object(p, account, bucket)
            self.inherit(p, bucket)
        if p.get("BypassGovernanceRetention"):
            self.check(request, bucket, Rule("s3:BypassGovernanceRetention"), p)
        if operation in _READS and "x-amz-server-side-encryption" in request.headers:
            text = "x-amz-server-side-encryption header is not supported for this operation."
            raise AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-server-side-encryption")

    def inherit(self, p: Parameters, bucket: Bucket) -> None:
        """What an upload gets of its bucket; a key of KMS is told by its ARN."""
        if "encryption" in bucket.settings:
            p[BUCKETS_ENCRYPTION] = _encryption(bucket)
        for members in (p, p.get(BUCKETS_ENCRYPTION, {})):
            if _KEY_ID.fullmatch(members.get("SSEKMSKeyId") or ""):
                members["SSEKMSKeyId"] = f"arn:aws:kms:{bucket.region}:{bucket.owner}:key/{members['SSEKMSKeyId']}"
        p[LOCK] = s3_lock.of_upload(p, bucket.settings.get("object-lock"), self.clock())

    def _admit_copy(self, request: Request, p: Parameters) -> None:
        path, _, version = p["CopySource"].partition("?versionId=")
        name, _, key = unquote(path).removeprefix("/").partition("/")
        source = self.buckets.find(name)
        if source is not None:
            _check_expected_owner(request, "CopySource", source)
            self.check(request, source, READ, {"Bucket": name, "Key": key, "VersionId": version or None})

    def _admit_deletions(self, request: Request, bucket: Bucket, p: Parameters) -> None:
        """Each for itself: what may not be deleted is answered so, in a 200."""
        for item in p.get("Delete", {}).get("Objects", ()):
            try:
                self.check(request, bucket, RULES["DeleteObject"], {"Bucket": bucket.name, **item})
            except AwsError as error:
                item[REFUSED] = error

    def check(self, request: Request, bucket: Bucket, rule: Rule, p: Parameters) -> None:
        """Raises AccessDenied if `rule` is not granted to who asks."""
        caller, key = request.caller, p.get("Key", "")
        is_owner = caller.account == bucket.owner
        if self.judge is None and is_owner and "policy" not in bucket.settings and _is_enforced(bucket):
            return
        stored = self.find(bucket.name, key, p.get("VersionId")) if key else None
        self._judge(request, bucket, rule, p, stored)
        effect = self._verdict(request, bucket, rule, p, stored)
        if effect == "Deny" and not (is_owner and rule.action in _NEVER_LOST and _is_account(caller)):
            raise denied("the bucket's policy says so")
        if effect == "Allow" or _is_granted(caller.account, bucket, rule, stored):
            return
        if stored is None and rule.object and self._may_list(request, bucket, p):
            return  # the operation says that there is no such object
        raise denied("" if caller.account else "the request is not signed; see: clicklake env")

    def _judge(self, request: Request, bucket: Bucket | None, rule: Rule, p: Parameters, stored: Stored | None) -> None:
        """IAM's part. That there is no such object is told to those alone who may list the bucket
        (docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html, "Permissions")."""
        if self.judge is None:
            return
        caller, key = request.caller, p.get("Key", "")
        policy = _policy(bucket) if bucket is not None and bucket.owner == caller.account else None
        action = (rule.versioned if p.get("VersionId") else "") or rule.action
        about = {"Bucket": p.get("Bucket", ""), "Key": key}
        self.judge(caller, action, about, context_of(request, p, stored), policy)
        if bucket is not None and key and stored is None and rule.object:
            about = {"Bucket": bucket.name}
            self.judge(caller, LIST.action, about, context_of(request, {**about, "Prefix": key}, None), policy)

    def _may_list(self, request: Request, bucket: Bucket, p: Parameters) -> bool:
        """Who may list a bucket may know that it does not have an object."""
        try:
            self.check(request, bucket, LIST, {"Bucket": p["Bucket"], "Prefix": p["Key"]})
        except AwsError:
            return False
        return True

    def _verdict(
        self, request: Request, bucket: Bucket, rule: Rule, p: Parameters, stored: Stored | None
    ) -> str | None:
        policy = _policy(bucket)
        if policy is None:
            return None
        action = (rule.versioned if p.get("VersionId") else "") or rule.action
        key = p.get("Key", "")
        resource = f"arn:aws:s3:::{bucket.name}" + (f"/{key}" if key else "")
        caller = request.caller
        effect = verdict(policy, Ask(action, resource, context_of(request, p, stored), _principals(caller)))
        is_restricted = blocks(bucket.settings, "RestrictPublicBuckets") and s3_policy.is_public(policy)
        if effect == "Allow" and is_restricted and caller.account != bucket.owner:
            return None
        if effect == "Allow" and rule.object and stored and object_owner(bucket, stored) != bucket.owner:
            return None  # a bucket's policy says nothing of what is not its owner's
        return effect


def _principals(caller: Caller) -> Mapping[str, frozenset[str]]:
    named = names_of(caller.arn, caller.account)
    return {"AWS": named, "CanonicalUser": frozenset({canonical_id(caller.account)} if named else ())}


def _is_account(caller: Caller) -> bool:
    """The account itself, not one of its users or roles. The endpoint's own user stands for it."""
    return caller.arn.endswith((":root", ":user/laptop"))


def _check_expected_owner(request: Request, member: str, bucket: Bucket) -> None:
    for header, of in _OWNER_HEADERS.items():
        if of != member or header not in request.headers:
            continue
        expected = request.headers[header]
        if not re.fullmatch("[0-9]{12}", expected):
            text = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
            raise AwsError("InvalidBucketOwnerAWSAccountID", text)
        if expected != bucket.owner:
            raise denied()


def _is_granted(account: str, bucket: Bucket, rule: Rule, stored: Stored | None) -> bool:
    """By ownership, or by an access list."""
    owner = object_owner(bucket, stored) if stored is not None and rule.object else bucket.owner
    if stored is None and rule.object and account != bucket.owner:
        return False
    if account and account == owner:
        return True
    if _is_enforced(bucket):
        return False
    ignore = blocks(bucket.settings, "IgnorePublicAcls")
    if rule.bucket and s3_acl.allows(grants_of(bucket), account, rule.bucket, ignore):
        return True
    if not rule.object or stored is None:
        return False
    return s3_acl.allows(object_grants(bucket, stored), account, rule.object, ignore)


def new_object(p: Parameters, account: str, bucket: Bucket) -> Mapping[str, Any]:
    """Whose an object will be, and who is granted what of it."""
    mode = ownership(bucket.settings)
    given = mode == "BucketOwnerPreferred" and p.get("ACL") == "bucket-owner-full-control"
    owner = bucket.owner if given or mode == "BucketOwnerEnforced" else account
    asked = s3_acl.of_headers(p, owner, bucket.owner)
    check_supported(bucket, p)
    grants = s3_acl.private(owner) if asked is None else asked
    check_list(bucket.settings, grants, owner, "AccessControlListNotSupported")
    is_plain = owner == bucket.owner and grants == s3_acl.private(owner)
    return {} if is_plain else {"Owner": owner, "Grants": grants}


def _encryption(bucket: Bucket) -> Parameters:
    """What the bucket's default encryption makes of an upload that asks for none."""
    (rule,) = bucket.settings["encryption"]["Rules"]
    default = rule.get("ApplyServerSideEncryptionByDefault", {"SSEAlgorithm": "AES256"})
    found = {"ServerSideEncryption": default["SSEAlgorithm"], "SSEKMSKeyId": default.get("KMSMasterKeyID")}
    is_kms = default["SSEAlgorithm"] != "AES256"
    found["BucketKeyEnabled"] = rule.get("BucketKeyEnabled") if is_kms else None
    return {name: value for name, value in found.items() if value}
