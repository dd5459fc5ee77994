"""What a zip can be built for, and what that machine takes.

PackageError        the zip can't be built: what is missing, and a hint
"""

from dataclasses import dataclass

LOCAL = "local"

# The locks' wheels are for this runtime. It runs on Amazon Linux 2023 (docs.aws.amazon.com/lambda/latest/dg/
# lambda-runtimes.html), whose glibc is 2.34 (docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html).
RUNTIME = "python3.13"
PYTHON_MINOR = 13
GLIBC_MINOR = 34


class PackageError(Exception):
    """The zip can't be built; `hint` says what to do."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}: {hint}")
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Aws:
    """One of Lambda's processors: `architecture` is Lambda's word for it, `machine` the wheels', `elf` the files'
    (e_machine of the ELF header, /usr/include/elf.h)."""

    architecture: str
    machine: str
    elf: int

    @property
    def name(self) -> str:
        return f"aws-{self.architecture}"


AWS = {target.name: target for target in (Aws("arm64", "aarch64", 183), Aws("x86_64", "x86_64", 62))}
TARGETS = (LOCAL, *AWS)
