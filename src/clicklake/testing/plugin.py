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
    from clicklake.testing.address import Address
    from clicklake.testing.fixture import Clicklake
    from clicklake.testing.stack import Stack

_HANDED = pytest.StashKey["Clicklake"]()
_ADDRESS: "pytest.StashKey[tuple[Address, pytest.MonkeyPatch]]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    what = "the pipeline file of the clicklake fixture's stack"
    parser.getgroup("clicklake").addoption("--clicklake-pipeline", metavar="FILE", help=what)
    parser.addini("clicklake_pipeline", f"{what}; relative to this file", default="")
    when = "test (default): AWS_* variables name the fixture's endpoint while a test has it; session: from the start"
    parser.addini("clicklake_environment", when, default="test")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before anything of the project is imported: clients that are made then shall know the endpoint."""
    when = early_config.getini("clicklake_environment")
    if when not in {"test", "session"}:
        raise pytest.UsageError(f"clicklake_environment is {when!r}; it may be test or session")
    if when == "session":
        from clicklake.testing.address import Address

        address, patch = Address(), pytest.MonkeyPatch()
        _set(patch, address.environment)
        early_config.stash[_ADDRESS] = address, patch


def pytest_unconfigure(config: pytest.Config) -> None:
    if _ADDRESS in config.stash:
        address, patch = config.stash[_ADDRESS]
        patch.undo()
        address.release()


def _set(patch: pytest.MonkeyPatch, variables: "dict[str, str]") -> None:
    """These, and no others for AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    for name, value in variables.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session")
def clicklake_stack(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Stack]":
    """One endpoint for a run; with pytest-xdist, one for each worker."""
    from clicklake.errors import ClicklakeError
    from clicklake.pipeline import PipelineError
    from clicklake.testing.stack import Stack

    try:
        address, _ = pytestconfig.stash.get(_ADDRESS, (None, None))
        stack = Stack(tmp_path_factory.mktemp("clicklake"), _pipeline_file(pytestconfig), address)
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
        _set(patch, handed.environment)
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
