"""lake: the stack that `python -m aws` has deployed; the file that CLICKLAKE_DEPLOYED names describes it."""

import os
from pathlib import Path

import pytest

from aws.lake import Lake


@pytest.fixture(scope="session")
def lake() -> Lake:
    return Lake.read(Path(os.environ["CLICKLAKE_DEPLOYED"]))
