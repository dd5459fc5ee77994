"""The tables of terraform/README.md and of the module's: what goes in, what comes out, what is made.

python tests/terraform_docs.py            writes them anew
python tests/terraform_docs.py --check    says which are out of date, and exits with 1
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from terraform_source import MODULE, ROOT, TERRAFORM, Block, blocks

_REGISTRY = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs"
_NARROW = 60  # an expression longer than that makes a table that nobody can read


def _inputs(folder: Path) -> list[str]:
    rows = ["| name | what it says | type | default |", "|---|---|---|---|"]
    for variable in blocks(folder, "variable"):
        said = variable.attributes
        default = _expression(said["default"]) if "default" in said else "*required*"
        rows.append(f"| `{variable.labels[0]}` | {_described(variable)} | {_expression(said['type'])} | {default} |")
    return rows


def _outputs(folder: Path) -> list[str]:
    rows = ["| name | what it says |", "|---|---|"]
    return rows + [f"| `{output.labels[0]}` | {_described(output)} |" for output in blocks(folder, "output")]


def _resources(folder: Path) -> list[str]:
    rows = ["| resource | file | made |", "|---|---|---|"]
    for resource in blocks(folder, "resource"):
        page = f"{_REGISTRY}/resources/{resource.labels[0].removeprefix('aws_')}"
        file = f"[{resource.file.name}]({resource.file.name})"
        rows.append(f"| [`{resource.address}`]({page}) | {file} | {_made(resource)} |")
    return rows


_TABLES: dict[str, Callable[[Path], list[str]]] = {"inputs": _inputs, "outputs": _outputs, "resources": _resources}
_PAGES = (TERRAFORM / "README.md", MODULE / "README.md")


def _made(resource: Block) -> str:
    said = resource.attributes
    if "for_each" in said:
        return f"one for each of {_expression(said['for_each'])}"
    return f"count = {_expression(said['count'])}" if "count" in said else "always"


def _described(block: Block) -> str:
    return str(json.loads(block.attributes["description"])).replace("|", "\\|")


def _expression(expression: str) -> str:
    """In one line, and as code."""
    in_one_line = re.sub(r"\s+", " ", expression).replace("|", "\\|")
    return f"`{in_one_line}`" if len(in_one_line) <= _NARROW else f"`{in_one_line[: _NARROW - 4]} ...`"


def written(page: Path) -> str:
    """The page as it should be: between the two marks of a table stands the table, the rest is as it is."""
    content = page.read_text()
    for name, table in _TABLES.items():
        begin, end = f"<!-- {name}: made by tests/terraform_docs.py -->", f"<!-- end of {name} -->"
        before, mark, rest = content.partition(begin)
        if mark:
            content = "\n".join([before + begin, *table(page.parent), end + rest.partition(end)[2]])
    return content


def main(arguments: list[str]) -> int:
    stale = [page for page in _PAGES if page.read_text() != written(page)]
    for page in stale:
        if "--check" in arguments:
            sys.stderr.write(f"{page.relative_to(ROOT)} is out of date; run: python tests/terraform_docs.py\n")
        else:
            page.write_text(written(page))
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
