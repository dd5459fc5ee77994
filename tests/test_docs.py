"""The documents are true: what they name exists, and what exists is in them."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from clicklake.cli import every_command
from localaws.athena.functions import FUNCTIONS, UNSUPPORTED
from localaws.athena.rewrites import REWRITES
from localaws.athena.statements import _KINDS, Run

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SEED = (ROOT / "docs" / "seed.md").read_text()


def text(page: str) -> str:
    return (ROOT / page).read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_our_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_ours_that_a_page_names_exists(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|docs|benchmarks|examples|terraform|queries)/[\w./-]*\w/?)`", page.read_text())
    generated = {"terraform/terraform.tfvars", "terraform/processor.zip", "terraform/main.tf"}
    moved = re.findall(r"^\| `([^`]+)`", SEED, flags=re.MULTILINE) if page.name == "seed.md" else []
    assert not [name for name in named if not (ROOT / name).exists() and name not in {*generated, *moved}]


def test_every_command_is_in_the_readme_or_in_docs() -> None:
    pages = "".join(page.read_text() for page in PAGES)
    assert not [name for name in every_command() if f"clicklake {name}" not in pages]


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), flags=re.MULTILINE))
    named = {
        word
        for page in PAGES
        for word in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
        for word in word
        if word
    }
    assert not named - targets


def test_make_alone_lists_its_targets() -> None:
    listed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert {"make demo", "make setup", "make test"} <= {" ".join(line.split()[:2]) for line in listed.splitlines()}


def test_every_file_of_the_seed_has_its_place() -> None:
    """The right column of docs/seed.md's first table names files of ours, each of them there."""
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \|", SEED.partition("## Commands")[0], flags=re.MULTILINE)
    assert {"lambda/processor.py", "terraform/main.tf", "sample-event.json", "README.md", ".gitignore"} <= {
        old for old, _ in rows
    }
    made = {"dist/processor-aws-arm64.zip"}
    named = [name for _, new in rows for name in re.findall(r"`([\w./-]+)`", new)]
    assert not [name for name in named if not (ROOT / name).exists() and name not in made]


def test_the_version_has_one_source() -> None:
    assert 'path = "src/clicklake/__init__.py"' in text("pyproject.toml")
    assert not re.search(r"^version\s*=", text("pyproject.toml"), flags=re.MULTILINE)


def test_the_athena_page_names_exactly_what_the_tables_answer_and_refuse() -> None:
    page = text("docs/athena.md")
    statements, functions = page.partition("## Functions")[::2]
    answered, refused = statements.split("Refused by name")
    assert quoted(answered.partition("Answered:")[2]) >= {w for w, _, _, run in _KINDS if run is not Run.REFUSED}
    assert quoted(refused) >= {words for words, _, _, run in _KINDS if run is Run.REFUSED}
    supported, unsupported = functions.split("refused by name, for now:")
    assert quoted(supported.partition("`TRY`):")[2]) == {*FUNCTIONS, *REWRITES}
    assert quoted(unsupported.partition("Any other name")[0]) == UNSUPPORTED


def quoted(markdown: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", markdown))


@pytest.mark.parametrize("path", sorted((ROOT / "conformance").glob("*.expected.txt")), ids=lambda path: path.name)
def test_the_conformance_page_counts_the_causes_of_each_list(path: Path) -> None:
    causes = Counter(line.partition("  # ")[2] for line in path.read_text().splitlines())
    page = text("docs/conformance.md")
    assert not [f"{count} {cause}" for cause, count in causes.items() if f"| {count} | {cause} |" not in page]
