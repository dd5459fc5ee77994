"""A plugin for awswrangler's tests: what they read from their CloudFormation stacks.

The suite's conftest.py asks the stacks of its test_infra for a bucket, a database and a key. The runner gives them, in
CLICKLAKE_STACK_OUTPUTS. Loaded with `pytest -p`, before conftest.py imports the function by its name.
"""

import json
import os

import tests._utils as suite  # type: ignore[import-not-found]  # the suite's own


def _outputs() -> dict[str, str]:
    outputs: dict[str, str] = json.loads(os.environ["CLICKLAKE_STACK_OUTPUTS"])
    return outputs


suite.extract_cloudformation_outputs = _outputs
