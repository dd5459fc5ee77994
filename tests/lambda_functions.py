"""Small functions for the Lambda tests, of one file of source each: deployed and called."""

import io
import json
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/function"


def package(source: str = "def handler(event, context):\n    return event\n", **files: str) -> bytes:
    """A deployment zip with `app.py` and, by name with __ for /, more Python files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", source)
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".py", text)
    return data.getvalue()


def deploy(client: Any, source: str, **settings: Any) -> str:
    """Create a function of `source` under a name of its own, which is returned."""
    name = f"f-{uuid.uuid4()}"
    defaults = {"Runtime": "python3.13", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": package(source)}}
    client.create_function(FunctionName=name, **(defaults | settings))
    return name


def call(functions: Any, name: str, event: Any = None, **more: Any) -> Any:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    return json.load(answer["Payload"])


def failure(functions: Any, name: str, event: Any = None) -> dict[str, Any]:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document: dict[str, Any] = json.load(answer["Payload"])
    return document


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
