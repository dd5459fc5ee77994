"""What a stage serves: made of an API's document, once for each change of it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.execute_api import routes
from localaws.execute_api.cors import Cors
from localaws.execute_api.routes import DEFAULT, Route
from localaws.execute_api.settings import function_of, log_group_of
from localaws.execute_api.throttling import ACCOUNT_BURST, ACCOUNT_RATE, Bucket

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Integration:
    """`function`: its ARN, or a version's or an alias's."""

    function: str
    timeout: float


@dataclass(frozen=True, slots=True)
class Stage:
    """`buckets` by route key. `log`: group and format, or None."""

    name: str
    routes: tuple[Route, ...]
    buckets: Mapping[str, Bucket]
    cors: Cors | None
    variables: Mapping[str, str]
    log: tuple[str, str] | None


Stages = Mapping[str, Stage]


def stage_of(stages: Stages, path: str) -> tuple[Stage, str] | None:
    """The stage that a path chooses, and the path that routes are chosen by: a stage of the first segment's name, else
    `$default` ("If the request explicitly matches a stage, API Gateway sends the request to that stage. If no stage
    fully matches the request, API Gateway sends it to the $default stage", http-api-develop-routes.html)."""
    name, _, rest = path[1:].partition("/")
    if name in stages and name != DEFAULT:
        return stages[name], f"/{rest}"
    return (stages[DEFAULT], path) if DEFAULT in stages else None


def stages(document: Document, clock: Callable[[], float]) -> Stages:
    """Those that have something to serve."""
    found = {}
    for name, stage in document["stages"].items():
        snapshot = document if stage.get("AutoDeploy") else _deployed(document, stage)
        if snapshot is not None:
            found[name] = _stage(stage, snapshot, clock)
    return found


def _deployed(document: Document, stage: Document) -> Document | None:
    deployment = document["deployments"].get(stage.get("DeploymentId", ""))
    return deployment["snapshot"] if deployment else None


def _stage(stage: Document, snapshot: Document, clock: Callable[[], float]) -> Stage:
    integrations = {key: _integration(each) for key, each in snapshot["integrations"].items()}
    known = tuple(
        routes.route(each["RouteKey"], integrations.get(each.get("Target", "").removeprefix("integrations/")))
        for each in snapshot["routes"].values()
    )
    log = stage.get("AccessLogSettings") or {}
    return Stage(
        stage["StageName"],
        known,
        {route.key: _bucket(stage, route.key, clock) for route in known},
        cors_of(snapshot["api"].get("CorsConfiguration")),
        stage.get("StageVariables", {}),
        (log_group_of(log["DestinationArn"]), log["Format"])
        if log.get("DestinationArn") and log.get("Format")
        else None,
    )


def _integration(integration: Document) -> Integration:
    return Integration(function_of(integration["IntegrationUri"]), integration["TimeoutInMillis"] / 1000)


def _bucket(stage: Document, key: str, clock: Callable[[], float]) -> Bucket:
    settings = stage.get("DefaultRouteSettings", {}) | stage.get("RouteSettings", {}).get(key, {})
    rate = settings.get("ThrottlingRateLimit", ACCOUNT_RATE)
    return Bucket(rate, settings.get("ThrottlingBurstLimit", ACCOUNT_BURST), clock)


def cors_of(given: Document | None) -> Cors | None:
    """None if nothing is set."""
    if not given:
        return None
    return Cors(
        given.get("AllowOrigins", ()),
        given.get("AllowMethods", ()),
        given.get("AllowHeaders", ()),
        given.get("ExposeHeaders", ()),
        bool(given.get("AllowCredentials")),
        given.get("MaxAge"),
    )
