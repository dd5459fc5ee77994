"""What a worker is made from, and what it finds in its environment. Pure."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spec:
    """What a worker is made from; workers of one `revision` are interchangeable. Memory and storage in MB, timeout in
    seconds; `sdk` is the folder of what the runtime brings, `layers` are those of the layers in their order."""

    function: str
    version: str
    revision: str
    runtime: str
    handler: str
    code: Path
    memory: int
    timeout: int
    storage: int
    sdk: Path
    log_group: str
    role: str
    environment: Mapping[str, str]
    layers: tuple[Path, ...] = ()


def environment(spec: Spec, scratch: Path, stream: str, api: str) -> dict[str, str]:
    """All that a function finds in its environment: ours, its own variables, and the names that AWS reserves
    (docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html)."""
    minimal = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }
    reserved = {
        "_HANDLER": spec.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.function,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": api,
        "LAMBDA_TASK_ROOT": str(spec.code),
        "LAMBDA_RUNTIME_DIR": str(spec.sdk),
    }
    return _with_layers({**minimal, **spec.environment, **reserved}, spec)


def _with_layers(found: dict[str, str], spec: Spec) -> dict[str, str]:
    """What AWS finds below /opt, on the same paths; the last layer comes first, for it lies over the others there."""
    layers = spec.layers[::-1]
    places = {
        "PYTHONPATH": [f"{layer}/{inner}" for layer in layers for inner in _imports(spec.runtime)],
        "PATH": [f"{layer}/bin" for layer in layers],
        "LD_LIBRARY_PATH": [f"{layer}/lib" for layer in layers],
    }
    own = {name: [value] if (value := found.get(name)) else [] for name in places}
    return found | ({name: os.pathsep.join(places[name] + own[name]) for name in places} if layers else {})


def _imports(runtime: str) -> tuple[str, str]:
    """docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html, "Layer paths for each Lambda runtime"."""
    return f"python/lib/{runtime}/site-packages", "python"
