"""clicklake: a serverless clickstream pipeline, on AWS and on one laptop.

`clicklake.Producer` and `clicklake.AsyncProducer` are what a program sends events with: see clicklake.producer. They
are imported when they are asked for, for they bring boto3 along, which neither the function on Lambda nor `clicklake
--help` needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clicklake.producer import AsyncProducer, Producer

__version__ = "0.1.0"
__all__ = ["AsyncProducer", "Producer", "__version__"]


def __getattr__(name: str) -> Any:
    if name in {"AsyncProducer", "Producer"}:
        return getattr(import_module("clicklake.producer"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
