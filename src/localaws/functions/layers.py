"""Lambda layers: packages that functions share (docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html).

    DATA_DIR/layers/<name>/     as packages.py keeps it

AWS unpacks a function's layers into /opt, one over the other. Here each keeps its folder, and the function gets all of
them on its paths, the last one first: `python/` and `python/lib/<runtime>/site-packages/` for imports, `bin/` for
commands, `lib/` for libraries. So what names /opt itself finds nothing. A version that was deleted can't be given to
functions any more, and those that have it keep it.

Not done: layers of other accounts, permissions on layers; that a function and its layers unpack to 250 MB at most.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localaws.functions import packages
from localaws.functions.config import invalid, not_found
from localaws.functions.paging import page
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

_MOST = 5
_VERSION_ARN = re.compile(
    r"arn:aws[a-zA-Z-]*:lambda:(?P<region>[a-z0-9-]+):\d{12}:layer:(?P<name>[\w-]+):(?P<version>\d{1,18})", re.ASCII
)
_KEPT = ("Description", "CompatibleRuntimes", "CompatibleArchitectures", "LicenseInfo")


class Layers:
    """`fetch(bucket, key)` reads a package from S3."""

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        account: str,
        region: str,
        fetch: Callable[[str, str], bytes],
    ) -> None:
        self._layers = Documents(store, "lambda.layer")
        self._store = store
        self._home = root / "layers"
        self._clock = clock
        self._prefix = f"arn:aws:lambda:{region}:{account}:layer:"
        self._region = region
        self._fetch = fetch
        self._publishing = threading.Lock()
        self.operations: Mapping[str, Operation] = {
            "PublishLayerVersion": self._publish,
            "GetLayerVersion": self._get,
            "GetLayerVersionByArn": self._get_by_arn,
            "DeleteLayerVersion": self._delete,
            "ListLayerVersions": self._list_versions,
            "ListLayers": self._list,
        }

    def attached(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        """What a function's configuration says of its layers. InvalidParameterValueException."""
        if len(arns) > _MOST:
            raise invalid(f"Cannot reference more than {_MOST} layers.")
        seen: dict[str, str] = {}
        layers = []
        for arn in arns:
            found = _VERSION_ARN.fullmatch(arn)
            if found is None or found["region"] != self._region:
                text = "Layers are not in the same region as the function."
                raise invalid(f"{text} Layers are expected to be in region {self._region}.")
            if other := seen.get(found["name"]):
                raise invalid(
                    "Two different versions of the same layer are not allowed to be referenced in the same function. "
                    f"{other} and {arn} are versions of the same layer."
                )
            seen[found["name"]] = arn
            version = self._find(found["name"], int(found["version"]))
            if version is None:
                raise invalid(f"Layer version {arn} does not exist.")
            layers.append({"Arn": arn, "CodeSize": version["Content"]["CodeSize"]})
        return layers

    def folders(self, layers: Sequence[Mapping[str, Any]]) -> tuple[Path, ...]:
        """Of what `attached` made, in its order."""
        return tuple(self._folder(layer["Arn"]) for layer in layers)

    def _folder(self, arn: str) -> Path:
        name, _, version = arn.rpartition(":layer:")[2].partition(":")
        document = self._layers.get(name)
        assert document is not None  # layers are never forgotten
        return packages.folder(self._home, name, document["Versions"][version]["Content"]["CodeSha256"])

    def _find(self, name: str, version: int) -> Parameters | None:
        """As GetLayerVersion answers it; None for what is not there or was deleted."""
        found: Parameters | None = (self._layers.get(name) or {"Versions": {}})["Versions"].get(str(version))
        return None if found is None or found.get("Deleted") else found

    def _publish(self, parameters: Parameters) -> Parameters:
        name = parameters["LayerName"].rpartition(":layer:")[2]
        data = packages.read(parameters["Content"], self._fetch)
        with self._publishing:
            package = packages.store(self._home, name, data)
            with self._store.write():
                document = self._layers.get(name) or {"Published": 0, "Versions": {}}
                number = document["Published"] + 1
                version = self._version(name, number, package, parameters)
                versions = {**document["Versions"], str(number): version}
                self._layers.put(name, {"Published": number, "Versions": versions})
        return version

    def _version(self, name: str, number: int, package: packages.Package, parameters: Parameters) -> Parameters:
        moment = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")
        archive = packages.archive(self._home, name, package.sha256)
        return {
            "Content": {"Location": archive.as_uri(), "CodeSha256": package.sha256, "CodeSize": package.size},
            "LayerArn": self._prefix + name,
            "LayerVersionArn": f"{self._prefix}{name}:{number}",
            "CreatedDate": moment.replace("+00:00", "+0000"),
            "Version": number,
            "Description": "",
            **{key: parameters[key] for key in _KEPT if key in parameters},
        }

    def _get(self, parameters: Parameters) -> Parameters:
        if parameters["VersionNumber"] < 1:
            raise invalid("Layer Version Cannot be less than 1")
        version = self._find(parameters["LayerName"].rpartition(":layer:")[2], parameters["VersionNumber"])
        if version is None:
            raise not_found("The resource you requested does not exist.")
        return version

    def _get_by_arn(self, parameters: Parameters) -> Parameters:
        name, _, version = parameters["Arn"].rpartition(":layer:")[2].partition(":")
        return self._get({"LayerName": name, "VersionNumber": int(version)})

    def _delete(self, parameters: Parameters) -> Parameters:
        name, number = parameters["LayerName"].rpartition(":layer:")[2], parameters["VersionNumber"]
        if number < 1:
            raise invalid("Layer Version Cannot be less than 1")
        with self._store.write():
            document = self._layers.get(name)
            if document is not None and str(number) in document["Versions"]:
                document["Versions"][str(number)]["Deleted"] = True
                self._layers.put(name, document)
        return {}

    def _versions(self, document: Mapping[str, Any]) -> list[Parameters]:
        """The newest first, as AWS lists them."""
        there = [version for version in document["Versions"].values() if not version.get("Deleted")]
        there.sort(key=lambda version: -int(version["Version"]))
        return [{k: v for k, v in version.items() if k not in {"Content", "LayerArn"}} for version in there]

    def _list_versions(self, parameters: Parameters) -> Parameters:
        document = self._layers.get(parameters["LayerName"].rpartition(":layer:")[2]) or {"Versions": {}}
        return page("LayerVersions", _fitting(self._versions(document), parameters), parameters)

    def _list(self, parameters: Parameters) -> Parameters:
        found = []
        for name, document in self._layers.items():
            versions = _fitting(self._versions(document), parameters)
            if versions:
                latest = {"LatestMatchingVersion": versions[0]}
                found.append({"LayerName": name, "LayerArn": self._prefix + name, **latest})
        return page("Layers", found, parameters)


def _fitting(versions: list[Parameters], parameters: Parameters) -> list[Parameters]:
    """Those of the runtime and the architecture that are asked for."""
    wanted = {"CompatibleRuntimes": "CompatibleRuntime", "CompatibleArchitectures": "CompatibleArchitecture"}
    return [
        version
        for version in versions
        if all(parameters.get(one) in {None, *version.get(many, [])} for many, one in wanted.items())
    ]
