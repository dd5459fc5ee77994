"""What may be logged of an error that nobody foresaw: its kind and where it came from. Its words may quote an event."""

import traceback
from pathlib import PurePath


def described(error: BaseException) -> str:
    """`ValueError in body.py:41, events.py:60`."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return f"{type(error).__name__} in {', '.join(f'{PurePath(f.filename).name}:{f.lineno}' for f in frames)}"
