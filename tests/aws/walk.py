"""The seed's walk, with the aws CLI, on a stack that is deployed; it wants an empty lake, so it is the first."""

import os
import sys
from pathlib import Path

import seed_walk
from aws.lake import Lake


def test_the_seeds_walk(lake: Lake) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the aws CLI of this environment
    variables = {**os.environ, "PATH": path, "AWS_PAGER": ""}
    seed_walk.walk(variables, lake.bucket, lake.client, lake.environment, lake.seconds)
