"""The code of functions and layers: the zip it was deployed as, checked and unpacked.

    DATA_DIR/functions/<name>/<sha256>/     the files, as the worker imports them; of layers in DATA_DIR/layers
    DATA_DIR/functions/<name>/<sha256>.zip  the package, for GetFunction's Code.Location

A folder is complete once it has its name, because it is renamed into place after every file in it is durable. What a
package says of itself is not believed: files are unpacked piece by piece and end where they were said to, and links are
made last and may not lead out of the folder.
"""

import base64
import errno
import hashlib
import io
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from localaws import durable
from localaws.errors import AwsError
from localaws.functions.config import invalid
from localaws.wire import blob

# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Deployment package (.zip file archive) size".
ZIPPED_LIMIT = 50 * 1024 * 1024
UNZIPPED_LIMIT = 250 * 1024 * 1024
# AWS documents no number. Each costs an fsync, and a zip of 50 MB can hold a million empty ones.
_MOST_ENTRIES = 100_000
_ENTRY = b"PK\x01\x02"  # begins each entry of the directory (APPNOTE.TXT, 4.3.12)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 1 << 20
_LONGEST_LINK = 4096


@dataclass(frozen=True, slots=True)
class Package:
    """`sha256` is base64, AWS's CodeSha256; `size` is the zip's."""

    sha256: str
    size: int


def read(code: Mapping[str, Any], fetch: Callable[[str, str], bytes]) -> bytes:
    """A function's or layer's zip, from the request or, by `fetch(bucket, key)`, from S3; it is `check`ed."""
    if code.get("ImageUri"):
        raise invalid("localaws runs no container images: deploy the function as a zip")
    uploaded = code.get("ZipFile") is not None
    if uploaded:
        data = blob(code["ZipFile"])
    elif code.get("S3Bucket") and code.get("S3Key"):
        data = _fetched(code["S3Bucket"], code["S3Key"], fetch)
    else:
        raise invalid("Please provide a source for function code.")
    check(data, uploaded)
    return data


def _fetched(bucket: str, key: str, fetch: Callable[[str, str], bytes]) -> bytes:
    try:
        return fetch(bucket, key)
    except AwsError as e:
        text = f"Error occurred while GetObject. S3 Error Code: {e.code}. S3 Error Message: {e.message}"
        raise invalid(text) from e


def check(data: bytes, uploaded: bool) -> None:
    """Refuse what AWS refuses, before anything is written. `uploaded`: it came in the request and not from S3."""
    if uploaded and len(data) > ZIPPED_LIMIT:
        text = f"Zipped size must be smaller than {ZIPPED_LIMIT} bytes"
        raise AwsError("RequestEntityTooLargeException", text, 413)
    if data.count(_ENTRY) > _MOST_ENTRIES:  # before Python makes an object of each
        raise _unreadable()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as e:
        raise _unreadable() from e
    if sum(entry.file_size for entry in entries) >= UNZIPPED_LIMIT:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED_LIMIT} bytes")
    if any(entry.compress_type not in _METHODS for entry in entries):
        raise _unreadable()
    for entry in entries:
        _inner_path(entry.filename)


def store(collection: Path, name: str, data: bytes) -> Package:
    """Unpack `data` durably; the same package again costs next to nothing. It has been `check`ed."""
    digest = hashlib.sha256(data).digest()
    package = Package(base64.b64encode(digest).decode(), len(data))
    home = folder(collection, name, package.sha256)
    if not home.is_dir():
        durable.make_directories(home.parent)
        fresh = home.with_name(home.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        _unpack(data, fresh)
        durable.replace_file(archive(collection, name, package.sha256), data)
        durable.move_file(fresh, home)
    else:  # by an attempt that may not have lived to make it durable
        durable.sync_directory(home.parent)
    return package


def folder(collection: Path, name: str, sha256: str) -> Path:
    return collection / name / base64.b64decode(sha256).hex()


def archive(collection: Path, name: str, sha256: str) -> Path:
    return folder(collection, name, sha256).with_suffix(".zip")


def sweep(collection: Path, name: str, used: Iterable[str]) -> None:
    """Delete the packages of `name` that no configuration names; call it while none of its workers runs."""
    home = collection / name
    keep = {path for sha256 in used for path in (folder(collection, name, sha256), archive(collection, name, sha256))}
    for path in set(home.iterdir()) - keep if home.is_dir() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _unpack(data: bytes, target: Path) -> None:
    target.mkdir()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            entries = sorted(package.infolist(), key=_is_link)
            for entry in entries:
                _unpack_entry(package, entry, target / _inner_path(entry.filename))
            for entry in filter(_is_link, entries):
                _check_link(target / _inner_path(entry.filename), target)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as e:
        raise _unreadable() from e
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as e:
        raise invalid(f"The package holds a file and a folder of one name: {_name(e, target)}") from e
    except OSError as e:
        if e.errno in {errno.ENAMETOOLONG, errno.ELOOP}:
            raise invalid(f"The package holds a path that can't be: {_name(e, target)}") from e
        raise
    for directory, _, _ in os.walk(target):
        durable.sync_directory(Path(directory))


def _unpack_entry(package: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> None:
    if entry.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with package.open(entry) as source:
        if _is_link(entry):
            path.symlink_to(source.read(_LONGEST_LINK).decode("utf-8", "surrogateescape"))
            return
        with path.open("wb") as file:
            shutil.copyfileobj(source, file, _PIECE)
            file.flush()
            durable.flush(file.fileno())
    path.chmod(entry.external_attr >> 16 & 0o777 | 0o600)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _check_link(link: Path, target: Path) -> None:
    """Once all are there: where a link leads may depend on others."""
    if not link.resolve().is_relative_to(target.resolve()):
        raise invalid(f"The package holds a link that leaves its folder: {str(link.relative_to(target))!r}")


def _name(error: OSError, target: Path) -> str:
    return os.path.relpath(error.filename, target) if error.filename else ""


def _inner_path(name: str) -> PurePosixPath:
    """A package may only fill its own folder ("zip slip")."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in name or (path.parts and path.parts[0].endswith(":")):
        raise invalid(f"The package holds a path that leaves its folder: {name!r}")
    return path


def _unreadable() -> AwsError:
    return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
