"""What a bucket is configured with, beside its versioning and notifications: one document for each setting. Pure.

SETTINGS names the operations; shapes and enumerations are botocore's model's, the further rules are in CHECKS.
A document is kept with the bucket as it was put (in the model's shape) and answered so. What acts on one here: access
lists, public access block, ownership, policy (access.py), CORS (cors.py), default encryption, object lock. All others
are kept and answered and nothing else: no rule of a lifecycle is carried out, no access is logged, nothing replicated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from localaws.errors import AwsError
from localaws.s3 import lifecycle as s3_lifecycle
from localaws.s3 import lock as s3_lock
from localaws.s3 import tags as s3_tags
from localaws.s3.xml import malformed
from localaws.wire import Parameters, service_model

_model = service_model("s3")
_MOST_RULES = 100
_MOST_TAGS = 50
_CORS_METHODS = frozenset({"GET", "PUT", "HEAD", "POST", "DELETE"})


@dataclass(frozen=True, slots=True)
class Setting:
    """`subresource` is also the name that the document is kept under; `missing` the error's code when there is none,
    "" if the answer is `default` then; `root` the answer's root element; `delete` "" if there is no such operation."""

    subresource: str
    put: str
    get: str
    delete: str
    root: str
    missing: str = ""
    text: str = ""
    default: Parameters | None = None


SETTINGS = (
    Setting("abac", "PutBucketAbac", "GetBucketAbac", "", "AbacStatus", default={"Status": "Disabled"}),
    Setting(
        "accelerate",
        "PutBucketAccelerateConfiguration",
        "GetBucketAccelerateConfiguration",
        "",
        "AccelerateConfiguration",
        default={},
    ),
    Setting(
        "cors",
        "PutBucketCors",
        "GetBucketCors",
        "DeleteBucketCors",
        "CORSConfiguration",
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
    ),
    Setting(
        "encryption",
        "PutBucketEncryption",
        "GetBucketEncryption",
        "DeleteBucketEncryption",
        "ServerSideEncryptionConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "The server side encryption configuration was not found",
        default={
            "Rules": [
                {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False},
            ]
        },
    ),
    Setting(
        "lifecycle",
        "PutBucketLifecycleConfiguration",
        "GetBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
        "LifecycleConfiguration",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    Setting("logging", "PutBucketLogging", "GetBucketLogging", "", "BucketLoggingStatus", default={}),
    Setting(
        "object-lock",
        "PutObjectLockConfiguration",
        "GetObjectLockConfiguration",
        "",
        "ObjectLockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
    Setting(
        "ownershipControls",
        "PutBucketOwnershipControls",
        "GetBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
        "OwnershipControls",
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    ),
    Setting(
        "publicAccessBlock",
        "PutPublicAccessBlock",
        "GetPublicAccessBlock",
        "DeletePublicAccessBlock",
        "PublicAccessBlockConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    ),
    Setting(
        "replication",
        "PutBucketReplication",
        "GetBucketReplication",
        "DeleteBucketReplication",
        "ReplicationConfiguration",
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    Setting(
        "requestPayment",
        "PutBucketRequestPayment",
        "GetBucketRequestPayment",
        "",
        "RequestPaymentConfiguration",
        default={"Payer": "BucketOwner"},
    ),
    Setting(
        "tagging",
        "PutBucketTagging",
        "GetBucketTagging",
        "DeleteBucketTagging",
        "Tagging",
        "NoSuchTagSet",
        "The TagSet does not exist",
    ),
    Setting(
        "website",
        "PutBucketWebsite",
        "GetBucketWebsite",
        "DeleteBucketWebsite",
        "WebsiteConfiguration",
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
)

NEW_BUCKET: Parameters = {
    "ownershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    "publicAccessBlock": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    },
}
"""What S3 sets for every bucket since April 2023."""


def payload(setting: Setting) -> str:
    """The member of the put's input that is the document."""
    shape = _model().operation_model(setting.put).input_shape
    member: str = shape.serialization["payload"]
    return member


def answer(setting: Setting, document: Parameters) -> Parameters:
    """The get's answer: in some operations the document itself, in others a member."""
    shape = _model().operation_model(setting.get).output_shape
    member = shape.serialization.get("payload")
    return document if member is None else {member: document}


def absent(setting: Setting, bucket: str) -> AwsError:
    return AwsError(setting.missing, setting.text, 404, BucketName=bucket)


def checked(setting: Setting, document: Parameters, ids: Callable[[], str]) -> Parameters:
    """The document as it is kept. Raises what S3 answers to one that it does not take."""
    operation = _model().operation_model(setting.put)
    check_enumerations(document, operation.input_shape.members[payload(setting)])
    check = CHECKS.get(setting.subresource)
    return check(document, ids) if check else document


def check_enumerations(value: Any, shape: Shape) -> None:
    """Raises MalformedXML for a word that is none of those which the model has."""
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                check_enumerations(value[name], member)
    elif isinstance(shape, ListShape):
        for item in value:
            check_enumerations(item, shape.member)
    elif shape.metadata.get("enum") and value not in shape.metadata["enum"]:
        raise malformed()


Check = Callable[[Parameters, Callable[[], str]], Parameters]


def _cors(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    rules = document.get("CORSRules", ())
    if not 0 < len(rules) <= _MOST_RULES:
        raise malformed()
    for rule in rules:
        for method in rule["AllowedMethods"]:
            if method not in _CORS_METHODS:
                text = f"Found unsupported HTTP method in CORS config. Unsupported method is {method}"
                raise AwsError("InvalidRequest", text)
        for origin in (*rule["AllowedOrigins"], *rule.get("AllowedHeaders", ())):
            if origin.count("*") > 1:
                kind = "AllowedOrigin" if origin in rule["AllowedOrigins"] else "AllowedHeader"
                raise AwsError("InvalidRequest", f'{kind} "{origin}" can not have more than one wildcard.')
    return document


def _encryption(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    if len(document.get("Rules", ())) != 1:
        raise malformed()
    rule = document["Rules"][0]
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    if default.get("KMSMasterKeyID") and default.get("SSEAlgorithm") == "AES256":
        text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise AwsError("InvalidArgument", text, 400, ArgumentName="ApplyServerSideEncryptionByDefault")
    return {"Rules": [{"BucketKeyEnabled": False, **rule}]}


def _ownership(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    if len(document.get("Rules", ())) != 1:
        raise malformed()
    return document


def _public_access(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    return {name: bool(document.get(name)) for name in NEW_BUCKET["publicAccessBlock"]}


def _tagging(document: Parameters, _ids: Callable[[], str]) -> Parameters:
    """docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketTagging.html"""
    pairs = [(tag["Key"], tag["Value"]) for tag in document["TagSet"]]
    s3_tags.check(pairs, "System tags cannot be added/updated by requester")
    if len(document["TagSet"]) > _MOST_TAGS:
        raise AwsError("BadRequest", "Bucket tag count cannot be greater than 50")
    return document


def tags_at_creation(tags: Sequence[Parameters]) -> Parameters:
    text = (
        'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from '
        "your tag keys and try again."
    )
    if any(tag["Key"].startswith("aws:") for tag in tags):
        raise AwsError("InvalidTag", text)
    return _tagging({"TagSet": tags}, str)


def ownership_at_creation(word: str) -> Parameters:
    if word not in _model().shape_for("ObjectOwnership").metadata["enum"]:
        text = f"Invalid x-amz-object-ownership header: {word}"
        raise AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-object-ownership")
    return {"Rules": [{"ObjectOwnership": word}]}


CHECKS: Mapping[str, Check] = {
    "cors": _cors,
    "encryption": _encryption,
    "lifecycle": s3_lifecycle.checked,
    "object-lock": s3_lock.checked_configuration,
    "ownershipControls": _ownership,
    "publicAccessBlock": _public_access,
    "tagging": _tagging,
}
