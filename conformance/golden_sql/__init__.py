"""Trino's own word against ours: statements whose worth its documentation and tests state, run through Athena's API.

    python -m conformance.golden_sql                  run tests/golden_sql against an endpoint
    python -m conformance.golden_sql --mine CHECKOUT  write tests/golden_sql anew from a checkout of Trino

java, literals  constants, as Trino's tests write them
chapters, mine  which files are read, and how
pairs           the table: tests/golden_sql/*.jsonl
judge           runs it: right, refused by name, or silently wrong
expected.txt    what is not right yet, each with its cause; it may only shrink
"""
