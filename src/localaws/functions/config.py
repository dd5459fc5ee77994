"""A function's configuration: what a client set, AWS's defaults for the rest, and what is refused. Pure.

The answers' fields and defaults are those of the Lambda API reference (FunctionConfiguration); Terraform compares every
one of them with what it asked for, so nothing is added and nothing left out.

Accepted as given and not acted upon: Architectures and Runtime (any Python; this machine's interpreter runs it),
VpcConfig, KMSKeyArn, TracingConfig, SnapStart, LoggingConfig's format and levels (logs are text). EphemeralStorage's
size bounds each file, and not what they add up to (bounds.py). Refused by name: container images, other languages, file
systems, code signing, tenants.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from localaws.errors import AwsError

LATEST = "$LATEST"

Configuration = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REFERENCE = re.compile(
    r"(arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:)?(\d{12}:)?(function:)?(?P<name>[A-Za-z0-9_-]+)(:(?P<qualifier>[^:]+))?"
)

# docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, "Reserved environment variables".
_RESERVED = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
_ENVIRONMENT_BYTES = 4096

# (parameter, least, most): docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_RANGES = (("Timeout", 1, 900), ("MemorySize", 128, 10240))
_STORAGE = (512, 10240)
_MOST_TAGS = 50

_NOT_DONE: Mapping[str, str] = {
    "FileSystemConfigs": "localaws has no file systems for Lambda",
    "ImageConfig": "localaws runs no container images: deploy the function as a zip",
    "CapacityProviderConfig": "localaws has no capacity providers for Lambda",
    "CodeSigningConfigArn": "localaws verifies no code signatures",
    "DurableConfig": "localaws has no durable functions",
    "TenancyConfig": "localaws isolates no tenants",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Which function, and which of its versions: `$LATEST` or a number."""

    name: str
    qualifier: str


def reference(text: str, qualifier: str | None = None) -> Reference:
    """From a name, `name:qualifier`, a partial or a whole ARN, as every FunctionName parameter takes them."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise invalid(f"'{text}' is not a function's name or ARN")
    if qualifier and found["qualifier"] and found["qualifier"] != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Reference(found["name"], qualifier or found["qualifier"] or LATEST)


def is_qualified(text: str) -> bool:
    """Does a name or ARN say which version, if only $LATEST?"""
    found = _REFERENCE.fullmatch(text)
    return found is not None and found["qualifier"] is not None


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, 400, Type="User")


def conflict(message: str) -> AwsError:
    return AwsError("ResourceConflictException", message, 409, Type="User")


def not_found(message: str) -> AwsError:
    """In the model its text is called Message; every other error has a `message`."""
    return AwsError("ResourceNotFoundException", message, 404, Type="User", Message=message)


def check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > _MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")


def created(parameters: Mapping[str, Any], arn: str, region: str) -> Configuration:
    """The configuration of a new function; code, revision and dates are added by `stamped` and `with_code`."""
    name = arn.rpartition(":")[2]
    if not _NAME.fullmatch(name):
        rule = "Member must have length less than or equal to 64"
        text = f"Value '{name}' at 'functionName' failed to satisfy constraint: {rule}"
        raise invalid(f"1 validation error detected: {text}")
    if parameters.get("PackageType", "Zip") != "Zip":
        raise invalid(_NOT_DONE["ImageConfig"])
    for required in ("Runtime", "Handler"):
        if not parameters.get(required):
            raise invalid(f"{required} is mandatory for functions created with deployment packages")
    check_tags(parameters.get("Tags", {}))
    defaults: Configuration = {
        "FunctionName": name,
        "FunctionArn": arn,
        "Version": LATEST,
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "PackageType": "Zip",
        "Architectures": parameters.get("Architectures", ["x86_64"]),
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    return updated(defaults, parameters, region)


def updated(configuration: Configuration, parameters: Mapping[str, Any], region: str) -> Configuration:
    """`configuration` with what `parameters` sets; an empty value removes the optional ones, as on AWS."""
    _check(parameters)
    changed = dict(configuration)
    for name, shaped in _SETTINGS.items():
        if name in parameters:
            value = shaped(parameters[name], configuration.get(name) or {})
            changed[name] = value
    runtime = hashlib.sha256(changed["Runtime"].encode()).hexdigest()
    changed["RuntimeVersionConfig"] = {"RuntimeVersionArn": f"arn:aws:lambda:{region}::runtime:{runtime}"}
    return {name: value for name, value in changed.items() if value is not None}


_CREATING = "The function is being created."


def while_created(configuration: Configuration, revision: str) -> Configuration:
    """As AWS answers a creation. A moment later it is `Active`, under another revision; here it is that already."""
    started = {"State": "Pending", "StateReason": _CREATING, "StateReasonCode": "Creating", "RevisionId": revision}
    return {name: value for name, value in configuration.items() if name != "LastUpdateStatus"} | started


def while_updated(configuration: Configuration, revision: str) -> Configuration:
    """As AWS answers an update of $LATEST; of a version that was published with it, as it answers a creation."""
    if configuration["Version"] != LATEST:
        return while_created(configuration, revision)
    reasons = {"LastUpdateStatusReason": _CREATING, "LastUpdateStatusReasonCode": "Creating"}
    return configuration | {"LastUpdateStatus": "InProgress", "RevisionId": revision} | reasons


def listed(configuration: Configuration) -> Configuration:
    """Without what the lists leave out (docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html)."""
    left_out = {"State", "LastUpdateStatus", "RuntimeVersionConfig"}
    return {name: value for name, value in configuration.items() if name not in left_out}


def with_code(configuration: Configuration, sha256: str, size: int) -> Configuration:
    """`sha256` is base64, as AWS gives it and Terraform's `source_code_hash` compares it; `size` is the zip's."""
    return {**configuration, "CodeSha256": sha256, "CodeSize": size}


def stamped(configuration: Configuration, now: float, revision: str) -> Configuration:
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    return {**configuration, "LastModified": moment, "RevisionId": revision}


def published(configuration: Configuration, version: str, description: str | None, revision: str) -> Configuration:
    """The immutable version of a configuration; its revision is its own, so that it has workers of its own."""
    arn = f"{configuration['FunctionArn']}:{version}"
    extra = {} if description is None else {"Description": description}
    return {**configuration, "Version": version, "FunctionArn": arn, "RevisionId": revision, **extra}


def qualified(latest: Configuration) -> Configuration:
    """$LATEST under its full name, as it is answered to whoever asks for it by that."""
    return {**latest, "FunctionArn": f"{latest['FunctionArn']}:{LATEST}"}


def same_content(a: Configuration, b: Configuration) -> bool:
    """Whether $LATEST is as it was when it was published: AWS then answers with the version that exists."""
    apart = {"RevisionId", "LastModified"}
    return {k: v for k, v in a.items() if k not in apart} == {k: v for k, v in b.items() if k not in apart}


def _check(parameters: Mapping[str, Any]) -> None:
    for name, problem in _NOT_DONE.items():
        if parameters.get(name):
            raise invalid(problem)
    for name, least, most in _RANGES:
        if not least <= parameters.get(name, least) <= most:
            raise _out_of_range(name, parameters[name], least, most)
    if re.search(r"[\s\0]", parameters.get("Handler", "")):
        raise invalid("A Handler has no white space")
    if "Runtime" in parameters and not parameters["Runtime"].startswith("python3."):
        raise invalid(f"localaws runs Python functions only, not '{parameters['Runtime']}'")


def _out_of_range(name: str, value: int, least: int, most: int) -> AwsError:
    bound = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
    member = name[0].lower() + name[1:]
    text = f"Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {bound}"
    return AwsError("ValidationException", f"1 validation error detected: {text}")


def _environment(value: Any, _: Any) -> Any:
    variables = value.get("Variables") or {}
    if taken := sorted(variables.keys() & _RESERVED):
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided contains reserved keys that are currently not supported for modification. "
            f"Reserved keys used in this request: {', '.join(taken)}"
        )
    if len(json.dumps(variables, separators=(",", ":"), ensure_ascii=False).encode()) > _ENVIRONMENT_BYTES:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_ENVIRONMENT_BYTES // 1024}KB limit."
        )
    if any("\0" in k + v for k, v in variables.items()):
        raise invalid("Lambda was unable to configure your environment variables: a value holds a null character.")
    return {"Variables": variables}


def _logging(value: Any, current: Any) -> Any:
    merged = {**current, **value}
    if merged["LogFormat"] == "JSON":
        return {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", **merged}
    return {"LogFormat": "Text", "LogGroup": merged["LogGroup"]}


def _vpc(value: Any, _: Any) -> Any:
    return {"VpcId": "", **value} if value.get("SubnetIds") or value.get("SecurityGroupIds") else None


def _storage(value: Any, _: Any) -> Any:
    least, most = _STORAGE
    if not least <= value["Size"] <= most:
        raise _out_of_range("ephemeralStorage.size", value["Size"], least, most)
    return value


def _dead_letters(value: Any, _: Any) -> Any:
    """ "A dead-letter queue is a standard SQS queue or a standard SNS topic"
    (docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html)."""
    arn = value.get("TargetArn", "")
    if arn and (arn.split(":")[2] not in {"sqs", "sns"} or arn.endswith(".fifo")):
        raise invalid(f"The dead-letter target {arn} is neither a standard SQS queue nor a standard SNS topic.")
    return value if arn else None


def _as_given(value: Any, _: Any) -> Any:
    return value


# Parameter -> (what was given, what is there now) -> what is kept; None removes it.
_SETTINGS: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(
        ("Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "TracingConfig"),
        _as_given,
    ),
    "Environment": _environment,
    "LoggingConfig": _logging,
    "VpcConfig": _vpc,
    "SnapStart": lambda value, _: {"ApplyOn": value.get("ApplyOn", "None"), "OptimizationStatus": "Off"},
    "EphemeralStorage": _storage,
    "DeadLetterConfig": _dead_letters,
    "Layers": lambda value, _: value or None,
    "KMSKeyArn": lambda value, _: value or None,
}
