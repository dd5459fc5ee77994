"""What pytest knows of it; registered as the plugin `clicklake`.

pytest imports this at every start, of whatever project, so it imports nothing but pytest; the rest is imported when a
test asks for the fixture.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from clicklake.testing.fixture import Clicklake
    from clicklake.testing.stack import Stack

_HANDED = pytest.StashKey["Clicklake"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "the pipeline file of the clicklake fixture's stack"
    parser.getgroup("clicklake").addoption("--clicklake-pipeline", metavar="FILE", help=what)
    parser.addini("clicklake_pipeline", f"{what}; relative to this file", default="")


@pytest.fixture(scope="session")
def clicklake_stack(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Stack]":
    """One endpoint for a run; with pytest-xdist, one for each worker."""
    from clicklake.errors import ClicklakeError
    from clicklake.pipeline import PipelineError
    from clicklake.testing.stack import Stack

    try:
        stack = Stack(tmp_path_factory.mktemp("clicklake"), _pipeline_file(pytestconfig))
    except (ClicklakeError, PipelineError) as e:
        pytest.fail(f"clicklake: {e}", pytrace=False)
    yield stack
    stack.end()


def _pipeline_file(config: pytest.Config) -> Path | None:
    """The option's, relative to where pytest was started; else the setting's, relative to its file."""
    if given := config.getoption("--clicklake-pipeline"):
        return config.invocation_params.dir / str(given)
    if named := config.getini("clicklake_pipeline"):
        return (config.inipath.parent if config.inipath else config.rootpath) / str(named)
    return None


@pytest.fixture(name="clicklake")
def _clicklake(request: pytest.FixtureRequest, clicklake_stack: "Stack") -> "Iterator[Clicklake]":
    """The pipeline, empty; and the environment in which a test's own boto3 code reaches it. See docs/testing.md."""
    import boto3

    from clicklake.testing.fixture import Clicklake

    handed = Clicklake(clicklake_stack)
    handed.reset()
    request.node.stash[_HANDED] = handed
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in handed.environment.items():
            patch.setenv(name, value)
        patch.setattr(boto3, "DEFAULT_SESSION", None)  # that of boto3.client() remembers its first environment
        yield handed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that failed says what became of what it sent."""
    report = yield
    if call.when == "call" and report.failed and _HANDED in item.stash:
        report.sections.append(("clicklake", _account(item.stash[_HANDED])))
    return report


def _account(handed: "Clicklake") -> str:
    from clicklake.errors import ClicklakeError

    try:
        return handed.account()
    except ClicklakeError as e:  # the test may have broken what it was handed
        return str(e)
