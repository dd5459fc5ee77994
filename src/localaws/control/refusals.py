"""When moto fails at a call: was it the call's fault, and what does AWS say then?

moto checks few of its parameters; what it trips over is checked here, by AWS's own models, only after it has.
"""

import json
from typing import Any

import botocore.exceptions
import botocore.model
import botocore.validate

from localaws.control.call import Call
from localaws.errors import AwsError
from localaws.wire import service_model


def refused(call: Call, failure: Exception) -> AwsError | None:
    """AWS's refusal of `call`, at which moto failed; None if nothing is wrong with it."""
    if isinstance(failure, botocore.model.OperationNotFoundError):
        return AwsError("InvalidAction", f"The action {call.operation} is not valid for this endpoint.")
    return _refused_json(call) if "x-amz-target" in call.headers else None


def _refused_json(call: Call) -> AwsError | None:
    try:
        parameters = json.loads(call.body or b"{}")
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        return AwsError("SerializationException", "The request body is not a JSON object")
    try:
        shape = service_model(call.service)().operation_model(call.operation).input_shape
    except botocore.exceptions.UnknownServiceError:
        return None
    except botocore.model.OperationNotFoundError:
        return AwsError("UnknownOperationException", f"{call.operation} is no operation of {call.service}")
    return _invalid(shape, parameters)


def _invalid(shape: botocore.model.Shape | None, parameters: dict[str, Any]) -> AwsError | None:
    if shape is None:
        return None
    try:
        report = botocore.validate.ParamValidator().validate(parameters, shape)
    except (OverflowError, RuntimeError) as e:  # a number or time beyond all bounds
        return AwsError("ValidationException", f"A value is out of range: {e}")
    return AwsError("ValidationException", report.generate_report()) if report.has_errors() else None
