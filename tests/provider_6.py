"""The names in version 6 of the AWS provider, which PyPI has as code: cdktf's package, made from the schema of 6.25.0.

Each resource is a Python module there, and each of its blocks a struct with the names of what may stand in it.
"""

import re
import zipfile
from pathlib import Path

WHEEL = "cdktf-cdktf-provider-aws==21.22.1"
_STRUCT = re.compile(r'jsii_type="[^"]+\.(\w+)",\n    jsii_struct_bases=\[[^\]]*\],\n    name_mapping=\{(.*?)\}', re.S)
_NAME = re.compile(r'"(\w+)": "(\w+)"')

Structs = dict[str, dict[str, str]]


def unknown(wheel: Path, module: str, names: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Which of a resource's names version 6 does not have; all of them, if it has no such resource."""
    try:
        code = zipfile.ZipFile(wheel).read(f"cdktf_cdktf_provider_aws/{module}/__init__.py").decode()
    except KeyError:
        return names | {()}
    structs = {struct: dict(_NAME.findall(said)) for struct, said in _STRUCT.findall(code)}
    # Its own arguments are in the struct that has Terraform's, too.
    (own,) = [said for said in structs.values() if "provisioners" in said]
    resource = "".join(map(_capital, module.split("_")))
    return {path for path in names if not _has(structs, own, resource, path)}


def _has(structs: Structs, said: dict[str, str], block: str, path: tuple[str, ...]) -> bool:
    """A block's struct has the names of the blocks around it and its own, and an A behind it where two would be alike."""
    name, *inner = path
    if not inner or name not in said:
        return name in said
    within = block + _capital(said[name])
    return _has(structs, structs.get(within) or structs.get(f"{within}A", {}), within, tuple(inner))


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]
