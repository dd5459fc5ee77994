"""python -m conformance.golden_sql [--mine CHECKOUT] [--update] [CHAPTER ...]"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from benchmarks.measure import endpoint

from conformance import expected
from conformance.golden_sql import pairs
from conformance.golden_sql.chapters import CHAPTERS
from conformance.golden_sql.decimals import spelled_out
from conformance.golden_sql.judge import Failure, Run, Verdict, judged
from conformance.golden_sql.mine import mined

LIST = Path(__file__).with_name("expected.txt")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m conformance.golden_sql", description="Trino's word against ours")
    parser.add_argument("--mine", type=Path, metavar="CHECKOUT", help="write tests/golden_sql anew from Trino's files")
    parser.add_argument("--update", action="store_true", help="take out of the list what is answered now")
    parser.add_argument("--list", action="store_true", help="write the list anew (after --mine)")
    parser.add_argument("--sample", action="store_true", help="a tenth of the right expressions, at AWS_ENDPOINT_URL")
    parser.add_argument("chapters", nargs="*", help="run these only")
    given = parser.parse_args(arguments)
    if given.mine:
        for chapter in CHAPTERS:
            pairs.write(pairs.FOLDER / f"{chapter.name}.jsonl", mined(chapter, given.mine))
    paths = sorted(pairs.FOLDER.glob("*.jsonl"))
    chosen = [p for path in paths if not given.chapters or path.stem in given.chapters for p in pairs.read(path)]
    if given.sample:
        return 0 if _sample_is_right(chosen) else 1
    with endpoint("--bare") as ours:
        ours.client("s3").create_bucket(Bucket="golden")
        began = time.perf_counter()
        verdicts = judged(chosen, runner(ours.client("athena")), alone=expected.read(LIST))
    print(f"{len(chosen)} statements in {time.perf_counter() - began:.1f} s")
    if given.list:
        expected.write(LIST, {v.pair.origin: cause(v) for v in verdicts if v.refused or v.lax})
    return 0 if report(verdicts, given.update) else 1


def _sample_is_right(chosen: Sequence[pairs.Pair]) -> bool:
    boto3.client("s3").create_bucket(Bucket="golden")
    known = expected.read(LIST)
    answered = [p for p in chosen if p.one_value and p.origin not in known][::10]
    verdicts = judged(answered, runner(boto3.client("athena")))
    wrong = [v for v in verdicts if v.refused or v.wrong]
    print(*wrong, f"{len(verdicts) - len(wrong)} of {len(verdicts)} right", sep="\n")
    return not wrong and bool(verdicts)


def cause(verdict: Verdict) -> str:
    """What the list says of a pair that is refused, or answered though Trino refuses it."""
    if verdict.lax:
        return f"answered, though Trino refuses it: {verdict.pair.fails}"
    reason = verdict.refused.split("\n")[0].removeprefix("NOT_SUPPORTED: ")
    return re.sub(r"line \d+:\d+: ", "", reason.removesuffix(" is not supported by the local Athena yet"))


def runner(client: Any) -> Run:
    """Runs a statement through Athena's API."""

    def run(sql: str) -> pairs.Rows | Failure:
        where = {"OutputLocation": "s3://golden/"}
        text = spelled_out(sql)
        try:
            number = client.start_query_execution(QueryString=text, ResultConfiguration=where)["QueryExecutionId"]
        except client.exceptions.InvalidRequestException as e:  # what isn't in the grammar is no query
            return Failure(f"SYNTAX_ERROR: {e.response['Error']['Message']}")
        while True:
            execution = client.get_query_execution(QueryExecutionId=number)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                break
            time.sleep(0.002)
        if execution["Status"]["State"] != "SUCCEEDED":
            return Failure(execution["Status"]["StateChangeReason"])
        answer = client.get_query_results(QueryExecutionId=number)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer[1:]]

    return run


def report(verdicts: Sequence[Verdict], update: bool) -> bool:
    """Print what became of them; whether it is as the list says: nothing wrong, nothing refused but what is in it."""
    refused = {v.pair.origin for v in verdicts if v.refused or v.lax}
    right = {v.pair.origin for v in verdicts if not (v.refused or v.wrong or v.lax)}
    for verdict in verdicts:
        if verdict.wrong:
            print(f"WRONG {verdict.pair.origin}\n  {verdict.pair.sql}\n  {verdict.wrong}, wanted {verdict.pair.rows}")
    for cause, count in Counter(v.refused.split("\n")[0] for v in verdicts if v.refused).most_common():
        print(f"{count:5}  {cause}")
    print(f"{sum(bool(v.words) for v in verdicts)} fail as they should, with another error code")
    wrong = sum(bool(v.wrong) for v in verdicts)
    lax = sum(bool(v.lax) for v in verdicts)
    counts = f"{len(right)} right, {len(refused) - lax} refused, {lax} answered though Trino refuses, {wrong} wrong"
    print(f"{counts}, of {len(verdicts)}")
    outcome = expected.Outcome(right, refused, set())
    return expected.judge("golden SQL", LIST, outcome, update) and not wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
