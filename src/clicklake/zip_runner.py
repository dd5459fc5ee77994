"""What runs in another processor's own process: its transform, from its own zip, on raw files that it is handed.

Run by other_processor.py as `python -I -S zip_runner.py FOLDER`, where FOLDER is the unpacked zip: without the packages
that are installed here, so that everything but the standard library is the zip's. A line of JSON in, a line out.
"""

import gzip
import json
import os
import sys
from typing import Any, TextIO


def main(folder: str) -> None:
    sys.path.insert(0, folder)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints must not stand among the answers
    try:
        from clicklake import __version__, pipeline
        from clicklake.transform.process import Settings

        baked = pipeline.with_processed_format(pipeline.load(pipeline.FILE), "json")
        columns = [(column.name, column.type, column.from_) for column in baked.tables.events.columns]
        _say(answers, {"version": __version__, "contract_sha256": baked.contract_sha256, "columns": columns})
        first = json.loads(sys.stdin.readline())
        key, geo = first["user_key"], _geo(first["geo"])
        for line in sys.stdin:
            asked = json.loads(line)
            settings = Settings(
                baked, user_key=key.encode() if key else None, processor_version=asked["processor_version"], geo=geo
            )
            _say(answers, _answer(asked, settings))
    except Exception as e:  # whatever it is, the other side names it
        _say(answers, {"error": f"{type(e).__name__}: {e}"})


def _say(answers: TextIO, what: dict[str, Any]) -> None:
    answers.write(json.dumps(what) + "\n")
    answers.flush()


def _geo(name: str | None) -> Any | None:
    if not name:
        return None
    import maxminddb

    return maxminddb.open_database(name)


def _answer(asked: dict[str, Any], settings: Any) -> dict[str, Any]:
    """The ledger's row; good rows are written to the file `asked["rows"]`."""
    from clicklake.transform.process import process

    try:
        with open(asked["raw"], "rb") as raw, open(asked["rows"], "wb") as rows:  # noqa: PTH123
            batch = process(raw, asked["raw_key"], asked["modified_ms"], settings)
            if batch.processed:
                rows.write(batch.processed.body)
        return {"ledger": json.loads(gzip.decompress(batch.ledger.body))}
    except Exception as e:  # one object's failure is an answer
        return {"error": f"{type(e).__name__}: {e}"}


if __name__ == "__main__":
    main(sys.argv[1])
