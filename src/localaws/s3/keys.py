"""Names: which buckets and keys there may be, and where on disk an object lies.

An object is the plain file `s3/<bucket>/<key>` wherever a file system can hold its key as it is. A key that it can't
hold (`a//b`, `../x`, a segment over 255 bytes, `a` beside `a/b`, `A` beside `a` on macOS) lies beside the others as
`s3/<bucket>/.localaws/<sha256 of the key>`, so no key ever leaves its bucket's directory.
"""

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from localaws.errors import AwsError

SIDE = ".localaws"
MAX_KEY_BYTES = 1024
_MAX_SEGMENT_BYTES = 255  # NAME_MAX of ext4, XFS and APFS
_MAX_PATH_BYTES = 1000  # PATH_MAX is 4096 on Linux and 1024 on macOS

# docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def check_bucket_name(name: str) -> None:
    good = (
        _BUCKET.fullmatch(name)
        and ".." not in name
        and not _ADDRESS.fullmatch(name)
        and not name.startswith(_RESERVED_STARTS)
        and not name.endswith(_RESERVED_ENDS)
    )
    if not good:
        raise AwsError("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name)


def check_key(key: str) -> None:
    size = len(key.encode())
    if size > MAX_KEY_BYTES:
        details = {"Size": str(size), "MaxSizeAllowed": str(MAX_KEY_BYTES)}
        raise AwsError("KeyTooLongError", "Your key is too long", 400, **details)


def side_path(key: str) -> str:
    """Where a key lies that can't lie under its own name; relative to the bucket's directory."""
    return f"{SIDE}/{hashlib.sha256(key.encode()).hexdigest()}"


def can_be_plain(bucket_directory: Path, key: str) -> bool:
    """Could any file system of ours hold the key as it is? (Whether the name is still free is another question.)"""
    segments = key.split("/")
    return (
        "\0" not in key
        and segments[0].casefold() != SIDE
        and all(s not in {"", ".", ".."} and len(s.encode()) <= _MAX_SEGMENT_BYTES for s in segments)
        and len(os.fsencode(bucket_directory)) + 1 + len(key.encode()) <= _MAX_PATH_BYTES
    )


def is_free(target: Path, bucket_directory: Path) -> bool:
    """Could `target` become a file: nothing is there, and no part of the way to it is a file or leads elsewhere?"""
    if os.path.lexists(target):
        return False
    way = target.parent
    while way != bucket_directory and not os.path.lexists(way):
        way = way.parent
    while way != bucket_directory:
        if way.is_symlink() or not way.is_dir():
            return False
        way = way.parent
    return True


def in_the_way(path: str, other: str) -> bool:
    """Can't both be files: equal, or one is a directory of the other, on a file system that may ignore case
    and Unicode's composed forms, as macOS's do?"""
    one, two = (unicodedata.normalize("NFD", p).casefold() + "/" for p in (path, other))
    return one.startswith(two) or two.startswith(one)
