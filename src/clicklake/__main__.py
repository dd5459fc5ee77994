"""`clicklake` and `python -m clicklake`. Ctrl-C is no error, even while the rest is being imported."""

import sys


def main() -> int:
    try:
        from clicklake import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
