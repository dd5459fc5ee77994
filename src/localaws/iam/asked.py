"""What a request asks for: its operation with its parameters, and the ARNs that an action is about because of them.

An ARN pattern's variables are filled from the parameters of their names, as AWS's APIs call them: `${TableName}` by
TableName, by Name where it is the pattern's last one, or by either in TableInput. What the request does not say is `*`:
only a policy about all of them allows that.
"""

import functools
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import botocore.exceptions
from botocore.model import OperationNotFoundError, ServiceModel

from localaws import cbor, rest_json
from localaws.errors import AwsError
from localaws.iam.conditions import like
from localaws.iam.definitions import Action
from localaws.sigv4 import Protocol
from localaws.wire import Parameters, Request, service_model

# Where the name in a signature is not the one in policies, and not botocore's.
_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "tagging": "tag"}
_MODELS = {"monitoring": "cloudwatch", "email": "ses", "tagging": "resourcegroupstaggingapi", "states": "stepfunctions"}
_FORM = "application/x-www-form-urlencoded"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
# What a name has in the tables and not in the APIs.
_ADDED = re.compile("(WithPath|WithoutLeadingSlash)$")
_NAMES_AN_ARN = re.compile("arns?$|^resource$")
OWN_USER = "_Own"
"""A word among the parameters that no operation has: the user's own name, which IAM takes if there is no UserName."""
# Parameters that have another name than the variable that they fill.
_CALLED = {
    "ObjectName": "Key",
    "ParameterNameWithoutLeadingSlash": "Path",  # GetParametersByPath
    "QueueName": "QueueUrl",
    "UserNameWithPath": OWN_USER,
}
# Of an action that is about no resource. S3's guide has ListAllMyBuckets with this one
# (docs.aws.amazon.com/AmazonS3/latest/userguide/example-policies-s3.html).
_EVERYTHING = {"s3": "arn:aws:s3:::*"}
# A log group is told as the streams in it: "... on resource: arn:aws:logs:us-east-1:1:log-group:NAME:log-stream:" are
# CloudWatch Logs' words, and why policies name groups with `:*`
# (docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html).
_LOG_GROUP = re.compile("arn:aws:logs:[^:]*:[^:]*:log-group:[^:]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """`prefix`: the service as policies name it. The parameters are those that the operation has."""

    prefix: str
    operation: str
    parameters: Parameters


def asked(request: Request, service: str, protocol: Protocol) -> Asked:
    """`service`: the name in the signature. AwsError for what can't be read, or names more than one operation: who
    answers might read it otherwise."""
    if protocol == "rest-json":
        operation, parameters = rest_json.called(_MODELS.get(service, service), request)
    else:
        operation = _operation(request)
        parameters = _parameters(request, protocol)
    return Asked(_PREFIXES.get(service, service), operation, _known(service, operation, parameters))


def _operation(request: Request) -> str:
    target = request.headers.get("x-amz-target", "").rpartition(".")[2]
    named = {target, request.path.partition("/operation/")[2]}
    named |= {value for name, value in _form(request) if name == "Action"}
    named.discard("")
    if len(named) != 1:
        raise AwsError("InvalidAction", f"The request names {len(named)} operations")
    return named.pop()


def _form(request: Request) -> list[tuple[str, str]]:
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    body = request.body.read().decode("utf-8", "replace") if is_form else ""
    return parse_qsl(f"{request.query}&{body}", keep_blank_values=True)


def _parameters(request: Request, protocol: Protocol) -> Parameters:
    if protocol == "query":
        return dict(_form(request))
    body = request.body.read()
    try:
        found = (cbor.loads(body) if body else {}) if protocol == "rpc-v2-cbor" else json.loads(body or b"{}")
    except (ValueError, RecursionError) as e:
        raise AwsError("SerializationException", "The request body can't be read") from e
    return found if isinstance(found, dict) else {}


def _known(service: str, operation: str, given: Parameters) -> Parameters:
    """Without what the operation does not have, and would pass over."""
    try:
        shape = _model(_MODELS.get(service, service)).operation_model(operation).input_shape
    except (botocore.exceptions.UnknownServiceError, OperationNotFoundError):
        return {}
    return {name: value for name, value in given.items() if shape is not None and name in shape.members}


@functools.cache
def _model(name: str) -> ServiceModel:
    return service_model(name)()


# What it is about


def resources(action: Action, p: Parameters, region: str, account: str) -> list[str]:
    """The ARNs of what the action is about."""
    here = {"Partition": "aws", "Region": region, "Account": account}
    given = _texts(p)
    if not action.arns and not action.choices:
        return [_EVERYTHING.get(action.name.partition(":")[0], "*")]
    if action.arns:
        return [_qualified(arn, p) for pattern in action.arns for arn in _filled(pattern, given, here)[0]]
    # Of two that both fit, the more detailed one: a rule on a custom event bus, not one of its name on the default one.
    found = (_filled(pattern, given, here) for pattern in action.choices)
    return next((arns for arns, is_whole in found if is_whole), ["*"])


def _filled(pattern: str, given: Mapping[str, list[str]], here: Mapping[str, str]) -> tuple[list[str], bool]:
    """ARNs, and whether the request says all of them."""
    pattern = _VARIABLE.sub(lambda found: here.get(found[1], found[0]), pattern)
    names, every = _VARIABLE.findall(pattern), _VARIABLE.sub("*", pattern)
    values = [list(_values(name, given, is_last=name == names[-1])) for name in names]
    if not all(values):
        named = [arn for name, texts in given.items() if _NAMES_AN_ARN.search(name) for arn in texts]
        if arns := [arn for arn in named if like(every, arn)]:
            return arns, True
    if len(names) == 1 and values[0] and all(like(every, value) for value in values[0]):
        return values[0], True
    chosen = itertools.product(*(found or ["*"] for found in values))
    return [_as_told(_put_in(pattern, dict(zip(names, each, strict=True)))) for each in chosen], all(values)


def _put_in(pattern: str, values: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: values[found[1]], pattern)


def _as_told(arn: str) -> str:
    return f"{arn}:log-stream:" if _LOG_GROUP.fullmatch(arn) else arn


def _qualified(arn: str, p: Parameters) -> str:
    """A function's ARN with the version or alias that is asked for."""
    return f"{arn}:{p['Qualifier']}" if ":function:" in arn and arn.count(":") == 6 and p.get("Qualifier") else arn


def _texts(p: Parameters) -> dict[str, list[str]]:
    """Texts by parameters' names in lower case: the request's own, then those of what it would make (TableInput)."""
    found: dict[str, list[str]] = {}
    inner = [value for name, value in p.items() if name.endswith("Input") and isinstance(value, dict)]
    for level in (p, *inner):
        for name, value in level.items():
            texts = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str) and v]
            if texts:
                found.setdefault(name.lower(), texts)
    return found


def _values(variable: str, given: Mapping[str, list[str]], is_last: bool) -> Iterator[str]:
    base = _ADDED.sub("", variable)
    names = [base, f"{base}s", re.sub("(Name|Id)$", "", base), re.sub("Name$", "Identifier", base)]
    names += ["Name", "Names"] if is_last else []
    names += [_CALLED[variable]] if variable in _CALLED else []
    found = next((given[name.lower()] for name in names if name.lower() in given), [])
    path = given.get("path", [""])[0].strip("/") if variable.endswith("WithPath") else ""
    for text in found:
        yield f"{path}/{text}" if path else _bare(variable, text)


def _bare(variable: str, text: str) -> str:
    """The name in what a parameter may be: a queue's address, a function's or log group's ARN, a path."""
    match variable:
        case "QueueName":
            return text.rpartition("/")[2]
        case "FunctionName":
            return text.rpartition("function:")[2]
        case "LogGroupName":
            return text.rpartition(":log-group:")[2].removesuffix(":*")
    return text.lstrip("/") if variable.endswith("WithoutLeadingSlash") else text
