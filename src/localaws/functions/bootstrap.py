"""The child: what runs inside a worker process, in the place of AWS's runtime interface client.

Standard library only and nothing of ours, because it is started as a file by the interpreter and shares the process
with the function's code. It imports the handler, then loops: next invocation -> handler -> response.

The protocol is the Lambda Runtime API (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), so AWS's own
`awslambdaric` can stand here instead. The answers to bad handlers and exceptions have the fields that AWS's Python
runtime gives them (docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html).

Not done: LogFormat JSON, response streaming, SnapStart hooks.
"""

import http.client
import importlib
import importlib.machinery
import itertools
import json
import logging
import os
import re
import signal
import site
import sys
import threading
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from email.message import Message
from io import TextIOWrapper
from types import TracebackType
from typing import Any, NoReturn

_LIBRARY = re.compile(r"\.(cpython-[^.]+)\.so$")  # PEP 3149
_RUNTIME = "/2018-06-01/runtime"

HandlerFunction = Callable[[Any, "Context"], Any]


class Fault(Exception):  # noqa: N818 - AWS's own word for it
    """A failure that the runtime names itself: `kind` is its errorType; it seldom has a stack trace."""

    def __init__(self, kind: str, message: str, frames: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.frames = frames


class Identity:
    """Who called through Amazon Cognito: nobody, on one machine."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


class Client:
    """`client_context.client`: the mobile application, as the caller described it."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.installation_id = fields.get("installation_id")
        self.app_title = fields.get("app_title")
        self.app_version_name = fields.get("app_version_name")
        self.app_version_code = fields.get("app_version_code")
        self.app_package_name = fields.get("app_package_name")


class ClientContext:
    """What the caller gave as ClientContext."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.client = Client(document.get("client") or {})
        self.custom = document.get("custom")
        self.env = document.get("env")


class Context:
    """The handler's second argument (docs.aws.amazon.com/lambda/latest/dg/python-context.html)."""

    def __init__(self, headers: Message) -> None:
        environment = os.environ
        self.aws_request_id: str = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn: str = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = Identity()
        client_context = headers["Lambda-Runtime-Client-Context"]
        self.client_context = ClientContext(json.loads(client_context)) if client_context else None
        self.tenant_id: str | None = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        sys.stdout.write(str(message))


class Runtime:
    """The client side of the Runtime API, on one connection; when that breaks, the endpoint is gone and so are we."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address)

    def next(self) -> tuple[Message, bytes]:
        """Block until there is something to do."""
        self._connection.request("GET", f"{_RUNTIME}/invocation/next")
        response = self._connection.getresponse()
        return response.headers, response.read()

    def post(self, path: str, body: bytes, error_type: str = "") -> None:
        headers = {"Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        self._connection.request("POST", f"{_RUNTIME}/{path}", body, headers)
        self._connection.getresponse().read()


def load(name: str) -> HandlerFunction:
    """The handler called `package/module.function`; a `Fault` says what is wrong with it."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot:
        text = "not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {text}")
    if module_name.partition(".")[0] in sys.builtin_module_names:
        text = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", text)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as e:
        _say_if_built_for_another_machine()
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {e}") from e
    except SyntaxError as e:
        place = f'  File "{e.filename}" Line {e.lineno}\n    {e.text}'
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {e}", (place,)) from e
    if not hasattr(module, function_name):
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    handler: HandlerFunction = getattr(module, function_name)
    return handler


def _say_if_built_for_another_machine() -> None:
    """A package for AWS fails here with "No module named" a file that it has; only the log can say why, for the error
    is in AWS's words."""
    loaded = importlib.machinery.EXTENSION_SUFFIXES  # such as .cpython-313-x86_64-linux-gnu.so, .abi3.so, .so
    tagged = (_LIBRARY.search(name) for _, _, names in os.walk(os.environ["LAMBDA_TASK_ROOT"]) for name in names)
    foreign = sorted({tag[1] for tag in tagged if tag and f".{tag[1]}.so" not in loaded})
    if foreign:
        here = loaded[0].strip(".").removesuffix(".so")
        said = f"localaws: this package has libraries for {', '.join(foreign)}; functions run here on {here}"
        sys.stdout.write(f"{said}\n")


def answer(handler: HandlerFunction, event: bytes, context: Context) -> bytes:
    try:
        parsed = json.loads(event)
    except ValueError as e:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {e}") from e
    result = handler(parsed, context)
    try:
        return json.dumps(result, ensure_ascii=False, default=_number).encode()
    except (TypeError, ValueError) as e:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {e}") from e


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def describe(error: Exception, request_id: str) -> tuple[str, bytes]:
    """(errorType, the payload that the caller gets), and the same as text in the log."""
    kind = error.kind if isinstance(error, Fault) else type(error).__name__
    frames = list(error.frames) if isinstance(error, Fault) else _frames(error.__traceback__)
    said = f"[ERROR] {kind}: {error}" if str(error) else f"[ERROR] {kind}"
    trace = [_indented(line) for frame in frames for line in frame.splitlines()]
    sys.stdout.write("\n".join([said, "Traceback (most recent call last):", *trace]) + "\n")
    document = {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": frames}
    return kind, json.dumps(document).encode()


def _frames(trace: TracebackType | None) -> list[str]:
    """Those behind our own."""
    frames = [(f.filename, f.lineno or 0, f.name, f.line) for f in traceback.extract_tb(trace)]
    return traceback.format_list(list(itertools.dropwhile(lambda frame: frame[0] == __file__, frames)))


def _indented(line: str) -> str:
    """With spaces that no log viewer takes away."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


class _Stamp(logging.Filter):
    """Gives every log record the id of the running request, as AWS's runtime does."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def set_up_logging() -> _Stamp:
    stamp = _Stamp()
    text = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(text, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(stamp)
    logging.getLogger().addHandler(handler)
    return stamp


def die_with_parent() -> None:
    """Standard input is a pipe whose other end only the endpoint holds: when it ends, so do we, at once.

    The handler gets an empty standard input instead. `os.killpg` takes the function's own child processes along: a
    worker leads a process group of its own.
    """
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        os.read(lifeline, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def set_up_path() -> None:
    """The function's code, its layers, the standard library, the SDK: nothing that is installed on this machine.

    `site` did not run (-S), so that no site-packages is there; what it gives to every program is made up for."""
    site.setquit()
    site.setcopyright()
    site.sethelper()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])


def flush() -> None:
    """What the function printed must be in the pipe before its answer leaves: the endpoint then reads all of it."""
    sys.stdout.flush()
    sys.stderr.flush()


def serve(runtime: Runtime, handler: HandlerFunction, stamp: _Stamp) -> NoReturn:
    while True:
        headers, event = runtime.next()
        context = Context(headers)
        if headers["Lambda-Runtime-Trace-Id"]:  # the SDK puts it on its calls
            os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        stamp.request_id = context.aws_request_id
        path, kind = "response", ""
        try:
            body = answer(handler, event, context)
        except Exception as e:
            path = "error"
            kind, body = describe(e, context.aws_request_id)
        flush()
        runtime.post(f"invocation/{context.aws_request_id}/{path}", body, kind)


def main() -> NoReturn:
    die_with_parent()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    set_up_path()
    runtime = Runtime(os.environ["AWS_LAMBDA_RUNTIME_API"])
    stamp = set_up_logging()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as e:
        kind, body = describe(e, "")
        flush()
        runtime.post("init/error", body, kind)
        sys.exit(1)
    serve(runtime, handler, stamp)


if __name__ == "__main__":
    main()
