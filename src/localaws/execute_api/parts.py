"""The control plane of what an API is made of: integrations, routes, stages, deployments."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

from localaws.execute_api import settings
from localaws.execute_api.apis import Apis, Document, page
from localaws.execute_api.settings import bad, conflict, not_found
from localaws.wire import Operation, Parameters

_INTEGRATION = ("Description", "IntegrationUri", "TimeoutInMillis")
_ROUTE = ("RouteKey", "Target", "OperationName")
_STAGE = ("AutoDeploy", "DeploymentId", "Description", "AccessLogSettings")
# Lists of what nobody could make here.
_EMPTY = (
    "GetAuthorizers",
    "GetModels",
    "GetVpcLinks",
    "GetDomainNames",
    "GetIntegrationResponses",
    "GetRouteResponses",
)


class Parts:
    def __init__(self, apis: Apis) -> None:
        self._apis = apis
        self.operations: dict[str, Operation] = {
            "CreateIntegration": self._create_integration,
            "UpdateIntegration": self._update_integration,
            "DeleteIntegration": self._delete_integration,
            "CreateRoute": self._create_route,
            "UpdateRoute": self._update_route,
            "DeleteRoute": partial(self._delete, "routes", "RouteId"),
            "CreateStage": self._create_stage,
            "UpdateStage": self._update_stage,
            "DeleteStage": partial(self._delete, "stages", "StageName"),
            "DeleteAccessLogSettings": self._delete_access_log,
            "DeleteRouteSettings": self._delete_route_settings,
            "CreateDeployment": self._create_deployment,
            "UpdateDeployment": self._update_deployment,
            "DeleteDeployment": self._delete_deployment,
            **{name: lambda _p: {"Items": []} for name in _EMPTY},
            **{name: partial(_refuse, what) for name, what in settings.OPERATIONS.items()},
        }
        kinds = (
            ("Integration", "IntegrationId"),
            ("Route", "RouteId"),
            ("Stage", "StageName"),
            ("Deployment", "DeploymentId"),
        )
        for word, by in kinds:
            self.operations[f"Get{word}"] = partial(self._get, f"{word.lower()}s", by)
            self.operations[f"Get{word}s"] = partial(self._list, f"{word.lower()}s")

    def _get(self, kind: str, by: str, p: Parameters) -> Parameters:
        return _said(_part(self._apis.get(p["ApiId"]), kind, p[by]))

    def _list(self, kind: str, p: Parameters) -> Parameters:
        return page([_said(part) for part in self._apis.get(p["ApiId"])[kind].values()], p)

    def _delete(self, kind: str, by: str, p: Parameters) -> Parameters:
        with self._apis.change(p["ApiId"]) as document:
            _part(document, kind, p[by])
            del document[kind][p[by]]
            if kind != "stages":
                self._apis.deploy_automatically(document)
        return {}

    # Integrations

    def _create_integration(self, p: Parameters) -> Parameters:
        settings.check("integration", {"PayloadFormatVersion": "1.0", **p})
        if not p.get("IntegrationUri"):
            raise bad("An integrationUri, the function's ARN, is required")
        made = {
            "ConnectionType": "INTERNET",
            "IntegrationId": self._apis.new_id(7),
            "IntegrationMethod": "POST",
            "IntegrationType": "AWS_PROXY",
            "PayloadFormatVersion": "2.0",
            "TimeoutInMillis": 30_000,
        }
        made |= {name: p[name] for name in _INTEGRATION if p.get(name)}
        with self._apis.change(p["ApiId"]) as document:
            document["integrations"][made["IntegrationId"]] = made
        return made

    def _update_integration(self, p: Parameters) -> Parameters:
        settings.check("integration", p)
        with self._apis.change(p["ApiId"]) as document:
            part = _part(document, "integrations", p["IntegrationId"])
            _set(part, {name: p[name] for name in _INTEGRATION if name in p})
            self._apis.deploy_automatically(document)
        return part

    def _delete_integration(self, p: Parameters) -> Parameters:
        target = f"integrations/{p['IntegrationId']}"
        routes = self._apis.get(p["ApiId"])["routes"].values()
        if used := [route["RouteKey"] for route in routes if route.get("Target") == target]:
            raise conflict(f"Cannot delete Integration '{p['IntegrationId']}' due to the route '{used[0]}'")
        return self._delete("integrations", "IntegrationId", p)

    # Routes

    def _create_route(self, p: Parameters) -> Parameters:
        settings.check("route", p)
        made = {"ApiKeyRequired": False, "AuthorizationType": "NONE", "RouteId": self._apis.new_id(7)}
        made |= {name: p[name] for name in _ROUTE if p.get(name)}
        with self._apis.change(p["ApiId"]) as document:
            document["routes"][made["RouteId"]] = made
            _check_route(document, made)
            self._apis.deploy_automatically(document)
        return made

    def _update_route(self, p: Parameters) -> Parameters:
        settings.check("route", p)
        with self._apis.change(p["ApiId"]) as document:
            part = _part(document, "routes", p["RouteId"])
            _set(part, {name: p[name] for name in _ROUTE if name in p})
            _check_route(document, part)
            self._apis.deploy_automatically(document)
        return part

    # Stages

    def _create_stage(self, p: Parameters) -> Parameters:
        settings.check("stage", p)
        _check_deployment(p, p)
        made: Document = {
            "CreatedDate": self._apis.now(),
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False} | p.get("DefaultRouteSettings", {}),
            "LastUpdatedDate": self._apis.now(),
            "RouteSettings": p.get("RouteSettings", {}),
            "StageName": p["StageName"],
            "StageVariables": p.get("StageVariables", {}),
            "Tags": p.get("Tags", {}),
        }
        made |= {name: p[name] for name in _STAGE if p.get(name)}
        with self._apis.change(p["ApiId"]) as document:
            if p["StageName"] in document["stages"]:
                raise conflict("Stage already exists")
            document["stages"][p["StageName"]] = made
            self._settle_stage(document, made, p)
        return made

    def _update_stage(self, p: Parameters) -> Parameters:
        settings.check("stage", p)
        with self._apis.change(p["ApiId"]) as document:
            part = _part(document, "stages", p["StageName"])
            _check_deployment({**part, **p}, p)
            _set(part, {name: p[name] for name in _STAGE if name in p})
            for name in ("DefaultRouteSettings", "RouteSettings", "StageVariables"):
                part[name] = part[name] | p.get(name, {})
            # "" takes a variable away; it can't be one's value (UpdateStage, StageVariables)
            part["StageVariables"] = {name: value for name, value in part["StageVariables"].items() if value}
            part["LastUpdatedDate"] = self._apis.now()
            self._settle_stage(document, part, p)
        return part

    def _settle_stage(self, document: Document, stage: Document, given: Parameters) -> None:
        """Whether what it names is there. NotFoundException."""
        keys = {route["RouteKey"] for route in document["routes"].values()}
        if unknown := sorted(given.get("RouteSettings", {}).keys() - keys):
            raise not_found(f"Unable to find Route by key {unknown[0]} within the provided RouteSettings")
        deployment = _part(document, "deployments", stage["DeploymentId"]) if "DeploymentId" in stage else None
        if stage.get("AutoDeploy"):
            self._apis.deploy_automatically(document)
        elif deployment is not None:  # the last of its automatic ones stays, if it was one
            deployment.setdefault("snapshot", _snapshot(document))

    def _delete_access_log(self, p: Parameters) -> Parameters:
        with self._apis.change(p["ApiId"]) as document:
            _part(document, "stages", p["StageName"]).pop("AccessLogSettings", None)
        return {}

    def _delete_route_settings(self, p: Parameters) -> Parameters:
        with self._apis.change(p["ApiId"]) as document:
            found = _part(document, "stages", p["StageName"])["RouteSettings"]
            if p["RouteKey"] not in found:
                raise not_found(f"Unable to find Route by key {p['RouteKey']} within the provided RouteSettings")
            del found[p["RouteKey"]]
        return {}

    # Deployments: the API as it is at that moment

    def _create_deployment(self, p: Parameters) -> Parameters:
        with self._apis.change(p["ApiId"]) as document:
            made = self._apis.deployment(self._apis.new_id(6))
            made |= {"Description": p["Description"]} if p.get("Description") else {}
            if not document["routes"]:
                raise bad("At least one route is required before deploying the Api.")
            document["deployments"][made["DeploymentId"]] = {**made, "snapshot": _snapshot(document)}
            if p.get("StageName"):
                stage = _part(document, "stages", p["StageName"])
                if stage.get("AutoDeploy"):
                    raise bad("Deployment ID cannot be set on stage because AutoDeploy is enabled")
                stage["DeploymentId"] = made["DeploymentId"]
        return made

    def _update_deployment(self, p: Parameters) -> Parameters:
        with self._apis.change(p["ApiId"]) as document:
            part = _part(document, "deployments", p["DeploymentId"])
            _set(part, {"Description": p["Description"]} if "Description" in p else {})
        return _said(part)

    def _delete_deployment(self, p: Parameters) -> Parameters:
        stages = self._apis.get(p["ApiId"])["stages"].values()
        if used := [stage["StageName"] for stage in stages if stage.get("DeploymentId") == p["DeploymentId"]]:
            raise bad(f"Active stages with deployment exist: {used[0]}")
        return self._delete("deployments", "DeploymentId", p)


def _part(document: Document, kind: str, name: str) -> Document:
    found: Document | None = document[kind].get(name)
    if found is None:
        word = kind.removesuffix("s").capitalize()
        raise not_found(f"Unable to find {word} by {'name' if kind == 'stages' else 'id'} {name}")
    return found


def _snapshot(document: Document) -> Document:
    return {name: copy.deepcopy(document[name]) for name in ("api", "integrations", "routes")}


def _said(part: Mapping[str, Any]) -> Parameters:
    return {name: value for name, value in part.items() if name != "snapshot"}


def _set(part: Document, changes: Mapping[str, Any]) -> None:
    """An empty value takes the setting away."""
    part |= changes
    for name in [name for name in changes if part[name] in ("", None, {})]:
        del part[name]


def _check_deployment(stage: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    if stage.get("AutoDeploy") and given.get("DeploymentId"):
        raise bad("Deployment ID cannot be set on stage because AutoDeploy is enabled")


def _check_route(document: Document, route: Document) -> None:
    if "RouteKey" not in route:
        raise bad("A routeKey is required")
    same = [each for each in document["routes"].values() if each["RouteKey"] == route["RouteKey"]]
    if len(same) > 1:
        raise conflict(f"Route with key {route['RouteKey']} already exists for this API")
    target = route.get("Target")
    if target is not None and target.removeprefix("integrations/") not in document["integrations"]:
        raise bad(f"Invalid Target {target}: there is no such integration")


def _refuse(what: str, _p: Parameters) -> Parameters:
    raise bad(f"localaws has no {what}")
