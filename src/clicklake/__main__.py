"""`clicklake` and `python -m clicklake`. Ctrl-C is no error, even while the rest is being imported."""

import gc
import sys


def main() -> int:
    gc.disable()  # what is imported stays: to look for garbage in it takes a fifth of the time (cli.py enables it)
    try:
        from clicklake import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
