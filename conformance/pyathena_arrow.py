"""A plugin for PyAthena's tests: Arrow's S3 goes to the endpoint, too, which it can't be told by a variable.

PyAthena makes pyarrow's S3FileSystem without an endpoint, and Arrow doesn't read AWS_ENDPOINT_URL. Loaded with
`pytest -p`.
"""

import functools
import os

import pyarrow.fs as arrow  # type: ignore[import-not-found, unused-ignore]  # the suite's own environment has it

_scheme, _, _host = os.environ["AWS_ENDPOINT_URL"].partition("://")
arrow.S3FileSystem = functools.partial(arrow.S3FileSystem, endpoint_override=_host, scheme=_scheme)
