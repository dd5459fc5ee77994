"""What clicklake costs and how fast it is, each number as a ratio in one run against a named baseline.

`make bench` runs all and rewrites docs/benchmarks.md; `python -m benchmarks ingest` runs one. These are no tests:
nothing fails by being slow, and a machine that does other work gives other numbers.
"""
