"""The shape of the code is a promise: imports point one way, the core is pure, the function's zip stands alone."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
FILES = {".".join(f.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): f for f in SRC.rglob("*.py")}
OURS = ("clicklake", "localaws")

# Reading order is import order: a file may import those before it, never those after it.
LOCALAWS_ORDER = ("errors", "durable", "store", "wire", "sigv4", "server", "runtime", "serving")
TRANSFORM_ORDER = ("event", "decode", "validate", "enrich", "keys", "encode", "ledger", "process")
SERVICES = (
    "firehose",
    "s3",
    "events",
    "functions",
    "glue",
    "athena",
    "control",
    "logs",
    "identity",
    "cloudwatch",
    "budgets",
    "execute_api",
)
# Not "io": the encoder writes into a BytesIO.
IO_MODULES = {"os", "socket", "subprocess", "pathlib", "shutil", "tempfile", "time", "random", "secrets", "uuid"}
NETWORK = {"boto3", "botocore", "urllib.request", "http", "requests"}


def imports(name: str) -> Iterator[str]:
    """Every module that the file imports, wherever in the file the import stands."""
    tree = ast.parse(FILES[name].read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{name} has a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in FILES else node.module


def ours(name: str) -> set[str]:
    return {module for module in imports(name) if module.split(".")[0] in OURS and module != name}


def service_of(module: str) -> str | None:
    """The service that a localaws module belongs to: s3_listing -> s3, athena.dialect -> athena."""
    parts = module.split(".")
    if parts[0] != "localaws" or len(parts) < 2:
        return None
    return next((service for service in SERVICES if parts[1] == service or parts[1].startswith(service + "_")), None)


def test_localaws_knows_nothing_of_the_product() -> None:
    wrong = {name: ours(name) for name in FILES if name.startswith("localaws")}
    assert not {name: found for name, found in wrong.items() if any(m.startswith("clicklake") for m in found)}


def test_of_the_product_only_the_commands_of_the_endpoint_import_localaws() -> None:
    importers = {
        name for name in FILES if name.startswith("clicklake") and any(m.startswith("localaws") for m in ours(name))
    }
    assert importers <= {"clicklake.commands.up", "clicklake.commands.endpoint", "clicklake.commands.collector"}


def test_no_service_imports_another() -> None:
    wrong = []
    for name in FILES:
        service = service_of(name)
        for module in ours(name) if service else ():
            other = service_of(module)
            if other not in {None, service}:
                wrong.append((name, module))
    assert not wrong


def test_only_the_composition_root_knows_all_services() -> None:
    knows_two = {name for name in FILES if len({service_of(m) for m in ours(name)} - {None}) > 1}
    assert knows_two <= {"localaws.runtime"}


@pytest.mark.parametrize(("package", "order"), [("localaws", LOCALAWS_ORDER), ("clicklake.transform", TRANSFORM_ORDER)])
def test_files_import_only_what_comes_before_them(package: str, order: tuple[str, ...]) -> None:
    for index, name in enumerate(order):
        later = {f"{package}.{after}" for after in order[index + 1 :]}
        assert not ours(f"{package}.{name}") & later


def test_there_is_no_import_cycle() -> None:
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name in done or name not in FILES:
            return
        for module in ours(name):
            walk(module, (*path, name))
        done.add(name)

    for name in FILES:
        walk(name, ())


def test_the_transform_is_pure() -> None:
    wrong = {
        name: found
        for name in FILES
        if name.startswith("clicklake.transform")
        and (found := {m for m in imports(name) if m in NETWORK | IO_MODULES or m.split(".")[0] in NETWORK})
    }
    assert not wrong


def test_the_bootstrap_of_functions_is_standard_library_only() -> None:
    assert {module.split(".")[0] for module in imports("localaws.functions.bootstrap")} <= sys.stdlib_module_names


def test_no_file_is_called_utils_common_helpers_or_base() -> None:
    assert not [
        f for f in FILES.values() if f.stem.strip("_") in {"utils", "util", "common", "helpers", "helper", "base"}
    ]


def test_the_orders_name_files_that_exist() -> None:
    for package, order in (("localaws", LOCALAWS_ORDER), ("clicklake.transform", TRANSFORM_ORDER)):
        assert all(f"{package}.{name}" in FILES for name in order)
