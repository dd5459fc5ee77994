"""Outside suites, run against `clicklake up`: `python -m conformance.localstack`, `python -m conformance.s3_tests`.

The suites are other projects' and stay outside of this tree; what of them fails here, and why, is in the
`*.expected.txt` beside these files and counted in docs/conformance.md.
"""
