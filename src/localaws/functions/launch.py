"""How a worker of a function is started: from its configuration, with its role's keys, a scratch folder and a log."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from localaws.functions import packages, sdk
from localaws.functions.config import Reference
from localaws.functions.registry import Registry
from localaws.functions.spec import Spec
from localaws.functions.workers import Worker


class Launcher:
    """`layers` gives the folders of what a configuration says of its layers, `environment(role_arn, session)` the
    AWS_* variables of a worker; `log(access_key, group, stream, lines)` takes its lines."""

    def __init__(
        self,
        registry: Registry,
        root: Path,
        layers: Callable[[Sequence[Mapping[str, Any]]], tuple[Path, ...]],
        clock: Callable[[], float],
        ids: Callable[[], str],
        environment: Callable[[str, str], Mapping[str, str]],
        log: Callable[[str, str, str, list[str]], None],
        failures: Callable[[str], int],
    ) -> None:
        self._registry = registry
        self._home = root / "functions"
        self._layers = layers
        self._clock = clock
        self._ids = ids
        self._environment = environment
        self._log = log
        self._failures = failures
        self._scratch = root / "functions" / ".scratch"
        self._sdk = root / "functions" / ".sdk"

    def prepare(self) -> None:
        """Before the first worker: delete what those of an earlier run left, and see what is installed now."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        sdk.link(self._sdk)

    def spec(self, named: Reference) -> Spec:
        """What the version or $LATEST is now. ResourceNotFoundException."""
        configuration = self._registry.configuration(named)
        return Spec(
            function=named.name,
            version=configuration["Version"],
            revision=configuration["RevisionId"],
            runtime=configuration["Runtime"],
            handler=configuration["Handler"],
            code=packages.folder(self._home, named.name, configuration["CodeSha256"]),
            layers=self._layers(configuration.get("Layers", ())),
            memory=configuration["MemorySize"],
            timeout=configuration["Timeout"],
            storage=configuration["EphemeralStorage"]["Size"],
            sdk=self._sdk,
            log_group=configuration["LoggingConfig"]["LogGroup"],
            role=configuration["Role"],
            environment=configuration.get("Environment", {}).get("Variables", {}),
        )

    def start(self, spec: Spec) -> Worker:
        number = self._ids().replace("-", "")
        day = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{spec.version}]{number}"
        # A session's name has two characters at least (API_AssumeRole.html in the API reference of STS).
        session = spec.function if len(spec.function) > 1 else f"{spec.function}@lambda_function"
        environment = self._environment(spec.role, session)
        log = partial(self._log, environment["AWS_ACCESS_KEY_ID"], spec.log_group, stream)
        failures = partial(self._failures, environment["AWS_ACCESS_KEY_ID"])
        spec = replace(spec, environment={**spec.environment, **environment})
        return Worker(spec, self._scratch / number, stream, log, self._clock, failures=failures)
