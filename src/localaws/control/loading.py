"""What moto's import need not do: read megabytes about EC2, which nobody here has asked for.

Imports of boto3 and moto stand in functions: `clicklake up` must not wait for them.
"""

import functools
import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


def prepare_for_moto() -> None:
    """Before moto is first imported; again does no harm."""
    _remember_regions()
    _leave_ec2_to_later()


@contextmanager
def uncollected() -> Iterator[None]:
    """What comes meanwhile stays: the garbage collector does not look through half a million objects, neither now nor
    ever after."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


class _Ec2Backends:
    """moto.ec2's, which is imported when somebody looks into them."""

    def __getitem__(self, account: str) -> Any:
        return importlib.import_module("moto.ec2").ec2_backends[account]


def _leave_ec2_to_later() -> None:
    """SSM imports EC2, a fourth of all that moto has to load, to find the instances that SendCommand's targets name."""
    if "moto.ssm.models" in sys.modules:
        return
    later = ModuleType("moto.ec2")
    later.ec2_backends = _Ec2Backends()  # type: ignore[attr-defined]
    sys.modules["moto.ec2"] = later
    try:
        importlib.import_module("moto.ssm.models")
    finally:
        del sys.modules["moto.ec2"]


def _remember_regions() -> None:
    """moto asks boto3 for every service's regions, and boto3 reads the service's whole model to learn the name that its
    endpoints go by (EC2's, which SSM brings along, has megabytes). That is nearly always the service's own."""
    import boto3
    import botocore.session

    session = botocore.session.get_session()
    endpoints = session.get_component("endpoint_resolver")

    @functools.cache
    def regions(service: str, partition_name: str = "aws", allow_non_regional: bool = False) -> list[str]:
        named_so: list[str] = endpoints.get_available_endpoints(service, partition_name, allow_non_regional)
        return named_so or session.get_available_regions(service, partition_name, allow_non_regional)

    boto3.Session.get_available_regions = lambda _self, *which, **more: regions(*which, **more)
