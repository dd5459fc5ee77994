"""One process of the AWS provider that many runs of `terraform test` share.

Terraform starts the provider anew for each walk through the graph, twice for each run, and a start costs half a second
of CPU: fifty runs took a minute. A provider that was started with -debug says how to attach to it:
developer.hashicorp.com/terraform/plugin/debugging.
"""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from terraform_stack import Terraform

_PROVIDER = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*"
_ATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")


@contextmanager
def attached(terraform: Terraform) -> Iterator[Terraform]:
    """The same folder, initialised already, but with a provider that runs as long as the context."""
    (binary,) = (terraform.root / terraform.folder).glob(_PROVIDER)
    with subprocess.Popen(
        [binary, "-debug"],
        cwd=terraform.root / terraform.folder,  # where the files are that it reads
        env=dict(terraform.environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as provider:
        try:
            yield replace(
                terraform, environment={**terraform.environment, "TF_REATTACH_PROVIDERS": _how_to_attach(provider)}
            )
        finally:
            provider.send_signal(signal.SIGINT)  # upon which it removes its socket


def _how_to_attach(provider: subprocess.Popen[str]) -> str:
    assert provider.stdout is not None
    for line in provider.stdout:
        if found := _ATTACH.search(line):
            return found[1]
    raise AssertionError("the provider ended before it said how to attach to it")
