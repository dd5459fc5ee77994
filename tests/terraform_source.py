"""Terraform's files as text: the blocks at their top, and what stands in them.

No HCL parser: the files are formatted (a test says so), and `terraform fmt` puts a top-level block's end, and nothing
else, at the beginning of a line, and a block's own names at two spaces.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TERRAFORM = ROOT / "terraform"
MODULE = TERRAFORM / "modules/clickstream"

_BLOCK = re.compile(r'^(\w+)((?: "[^"]+")*) \{(?:\}|\n(.*?)^\})', re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^  (\w+) *= (.*?)(?=^  [\w#]|\Z)", re.MULTILINE | re.DOTALL)

# Arguments of every resource, which are Terraform's own.
_META = {"count", "depends_on", "for_each", "lifecycle", "provider"}


@dataclass(frozen=True)
class Block:
    """`kind "label" "label" { body }` of a file."""

    kind: str
    labels: tuple[str, ...]
    body: str
    file: Path

    @property
    def address(self) -> str:
        """As an expression names it: aws_s3_bucket.lake, data.aws_region.current, var.region."""
        head = {"resource": (), "variable": ("var",)}.get(self.kind, (self.kind,))
        return ".".join([*head, *self.labels])

    @property
    def attributes(self) -> dict[str, str]:
        """Name to expression, of this block alone and not of the blocks in it."""
        return {name: value.strip() for name, value in _ATTRIBUTE.findall(self.body)}

    @property
    def names(self) -> set[tuple[str, ...]]:
        """Of all arguments and blocks in it, those of blocks with the blocks that they are in."""
        found: set[tuple[str, ...]] = set()
        inside: list[str] = []  # "" is the content of a dynamic block, which has the block's names
        for line in self.body.splitlines():
            indent = "  " * (len(inside) + 1)
            if line == f"{indent[2:]}}}":
                inside.pop()
            elif opened := re.fullmatch(rf'{indent}(?:dynamic "(\w+)"|(\w+)) \{{', line):
                inside.append("" if opened[2] == "content" else opened[1] or opened[2])
                found.add(tuple(filter(None, inside)))
            elif (said := re.match(rf"{indent}(\w+) *= ", line)) and not _is_of_dynamic(said[1], inside):
                found.add((*filter(None, inside), said[1]))
        return {path for path in found if path and path[0] not in _META}

    def nested(self, kind: str) -> int:
        """How many blocks of a kind it has at its own level."""
        return len(re.findall(rf"^  {kind} \{{", self.body, re.MULTILINE))


def _is_of_dynamic(name: str, inside: list[str]) -> bool:
    """Only a dynamic block itself, outside of its content, has them."""
    return bool(inside) and name in {"for_each", "iterator"}


def files(folder: Path) -> list[Path]:
    """What Terraform reads as one module."""
    return sorted(folder.glob("*.tf"))


def blocks(folder: Path, kind: str | None = None) -> list[Block]:
    """In the order of the files' names, and of the lines."""
    return [
        block
        for file in files(folder)
        for block in _of_text(file.read_text(), file)
        if kind is None or block.kind == kind
    ]


def text(folder: Path) -> str:
    """The files of a module without their comments."""
    return "\n".join(re.sub(r"^\s*#.*$", "", file.read_text(), flags=re.MULTILINE) for file in files(folder))


def _of_text(content: str, file: Path) -> list[Block]:
    return [
        Block(kind, tuple(re.findall(r'"([^"]+)"', labels)), body or "", file)
        for kind, labels, body in _BLOCK.findall(content)
    ]
