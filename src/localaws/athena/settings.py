"""Workgroups and their tags. A workgroup's configuration is kept as it came, with AWS's defaults filled in."""

from collections.abc import Callable

from localaws.athena import managed
from localaws.athena.catalog import Document
from localaws.athena.pages import invalid, page
from localaws.athena.saved import Saved
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

_PRIMARY = "primary"
_AUTOMATIC, _ENGINE = "AUTO", "Athena engine version 3"
_ENGINES = [{"SelectedEngineVersion": s, "EffectiveEngineVersion": _ENGINE} for s in (_AUTOMATIC, _ENGINE)]
# docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
_CONFIGURATION: Document = {
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "EnableMinimumEncryptionConfiguration": False,
    "EngineVersion": {"SelectedEngineVersion": _AUTOMATIC, "EffectiveEngineVersion": _ENGINE},
    "ResultConfiguration": {},
}


class Settings:
    """`operations` is this part of the API; `workgroup` is what a query needs."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
    ) -> None:
        self._groups = Documents(store, "athena-workgroup")
        self.saved = Saved(store, clock, ids, self.workgroup)
        self._tags = Documents(store, "athena-tags")
        self._clock = clock
        self._arn = f"arn:aws:athena:{region}:{account}:"
        self.operations: dict[str, Operation] = {
            "CreateWorkGroup": self._create_workgroup,
            "GetWorkGroup": lambda p: {"WorkGroup": self.workgroup(p["WorkGroup"])},
            "UpdateWorkGroup": self._update_workgroup,
            "DeleteWorkGroup": self._delete_workgroup,
            "ListWorkGroups": self._list_workgroups,
            "ListEngineVersions": lambda p: page("EngineVersions", _ENGINES, p, 10),
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        } | self.saved.operations

    # Workgroups

    def workgroup(self, name: str) -> Document:
        """A WorkGroup; "primary" always exists. InvalidRequestException for another that doesn't."""
        found = self._groups.get(name)
        if found is not None:
            return found
        if name == _PRIMARY:
            configuration = _CONFIGURATION | {"EnforceWorkGroupConfiguration": False}
            return {"Name": _PRIMARY, "State": "ENABLED", "Configuration": configuration, "CreationTime": 0.0}
        raise invalid(f"WorkGroup {name} is not found.")

    def _create_workgroup(self, p: Parameters) -> Parameters:
        name = p["Name"]
        if name == _PRIMARY or self._groups.get(name) is not None:
            raise invalid("WorkGroup is already created")
        asked = p.get("Configuration", {})
        configuration = managed.checked(_CONFIGURATION | asked | _engine(asked))
        group = {"Name": name, "State": "ENABLED", "Configuration": configuration, "CreationTime": self._clock()}
        self._groups.put(name, group | {k: p[k] for k in ("Description",) if k in p})
        if p.get("Tags"):
            self._put_tags(f"{self._arn}workgroup/{name}", _tags_of(p["Tags"]))
        return {}

    def _update_workgroup(self, p: Parameters) -> Parameters:
        group = self.workgroup(p["WorkGroup"])
        updated = _updated(group["Configuration"], p.get("ConfigurationUpdates", {}))
        configuration = managed.checked(group["Configuration"] | updated)
        changes = {k: p[k] for k in ("Description", "State") if k in p}
        self._groups.put(group["Name"], group | changes | {"Configuration": configuration})
        return {}

    def _delete_workgroup(self, p: Parameters) -> Parameters:
        name = p["WorkGroup"]
        if name == _PRIMARY:
            raise invalid("WorkGroup primary cannot be deleted.")
        self.workgroup(name)
        if self.saved.of_workgroup(name) and not p.get("RecursiveDeleteOption"):
            raise invalid(f"WorkGroup {name} is not empty")
        self.saved.forget(name)
        self._tags.delete(f"{self._arn}workgroup/{name}")
        self._groups.delete(name)
        return {}

    def _list_workgroups(self, p: Parameters) -> Parameters:
        groups = {_PRIMARY: self.workgroup(_PRIMARY)} | dict(self._groups.items())
        summaries = [
            {
                "Name": g["Name"],
                "State": g["State"],
                "Description": g.get("Description", ""),
                "CreationTime": g["CreationTime"],
                "EngineVersion": g["Configuration"]["EngineVersion"],
            }
            for g in groups.values()
        ]
        return page("WorkGroups", summaries, p)

    # Tags

    def _tag(self, p: Parameters) -> Parameters:
        self._put_tags(p["ResourceARN"], _tags_of(p["Tags"]))
        return {}

    def _put_tags(self, arn: str, tags: dict[str, str]) -> None:
        self._tags.put(arn, (self._tags.get(arn) or {}) | tags)

    def _untag(self, p: Parameters) -> Parameters:
        kept = {k: v for k, v in (self._tags.get(p["ResourceARN"]) or {}).items() if k not in p["TagKeys"]}
        self._tags.put(p["ResourceARN"], kept)
        return {}

    def _list_tags(self, p: Parameters) -> Parameters:
        tags = [{"Key": k, "Value": v} for k, v in (self._tags.get(p["ResourceARN"]) or {}).items()]
        return page("Tags", tags, p, 100)


def _tags_of(given: list[dict[str, str]]) -> dict[str, str]:
    if not all(tag.get("Key") for tag in given):
        raise invalid("A tag needs a key")
    return {tag["Key"]: tag.get("Value", "") for tag in given}


def _updated(old: Document, updates: Document) -> Document:
    """ConfigurationUpdates against a configuration: "RemoveX": true removes X, the rest replaces."""
    results = old.get("ResultConfiguration", {})
    changes = dict(updates)
    wanted = changes.pop("ResultConfigurationUpdates", {})
    new = results | {k: v for k, v in wanted.items() if not k.startswith("Remove")}
    for key in [k.removeprefix("Remove") for k, v in wanted.items() if k.startswith("Remove") and v]:
        new.pop(key, None)
    removed = changes.pop("RemoveBytesScannedCutoffPerQuery", False)
    kept = changes.pop("ManagedQueryResultsConfigurationUpdates", {})
    if kept:
        changes["ManagedQueryResultsConfiguration"] = _kept(old.get("ManagedQueryResultsConfiguration", {}), kept)
    changed = changes | {"ResultConfiguration": new} | _engine(changes)
    if removed:
        old.pop("BytesScannedCutoffPerQuery", None)
    return changed


def _kept(old: Document, updates: Document) -> Document:
    """ManagedQueryResultsConfigurationUpdates against its configuration."""
    changes = dict(updates)
    removed = changes.pop("RemoveEncryptionConfiguration", False)
    return {k: v for k, v in old.items() if k != "EncryptionConfiguration" or not removed} | changes


def _engine(asked: Document) -> Document:
    """The part of a configuration that a choice of the engine changes; nothing without one."""
    if "EngineVersion" not in asked:
        return {}
    selected = asked["EngineVersion"].get("SelectedEngineVersion") or _AUTOMATIC
    if selected not in (_AUTOMATIC, _ENGINE):
        raise invalid(f"localaws runs {_ENGINE}; {selected} is not supported")
    return {"EngineVersion": {"SelectedEngineVersion": selected, "EffectiveEngineVersion": _ENGINE}}
