"""A request's payload: received, decoded, checked, in memory while small and in a file when large.

Two forms arrive: plain, with or without a SHA-256 of it in `x-amz-content-sha256`; and aws-chunked, signed per chunk
or not, with or without trailing checksums (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
sigv4-streaming-trailers.html), which is what current SDKs send by default.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import IO, Literal

from localaws import checksums
from localaws.errors import AwsError
from localaws.sigv4 import ChunkSigner
from localaws.wire import Body

IN_MEMORY = 8 * 2**20
_LONGEST_LINE = 16 * 2**10
_SHA256 = re.compile("[0-9a-f]{64}")
_WORDS = frozenset(
    (
        "UNSIGNED-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    )
)
_HEXADECIMAL = re.compile(rb"[0-9a-fA-F]{1,16}")


class Spool:
    """Collects bytes; past IN_MEMORY they go to a file `name` in `folder`. `sha256` covers all that was written."""

    def __init__(self, folder: Path, name: str, limit: int) -> None:
        self._folder = folder
        self._name = name
        self._limit = limit
        self._parts: list[bytes] = []
        self._file: IO[bytes] | None = None
        self.size = 0
        self.sha256 = hashlib.sha256()

    @property
    def _path(self) -> Path:
        """Put together by the few that need it: that takes longer than to read a small body."""
        return self._folder / self._name

    def check(self, size: int) -> None:
        """AwsError if so many bytes are too many."""
        if size > self._limit:
            raise AwsError("EntityTooLarge", f"The request is larger than {self._limit} bytes", 413)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self.check(self.size)
        self.sha256.update(data)
        if self._file is None and self.size > IN_MEMORY:
            self._file = self._path.open("wb")
            self._file.write(b"".join(self._parts))
            self._parts.clear()
        if self._file is None:
            self._parts.append(data)
        else:
            self._file.write(data)

    def body(self, trailers: Mapping[str, str]) -> Body:
        if self._file is None:
            return Body(b"".join(self._parts), None, self.size, trailers)
        self._file.close()
        return Body(b"", self._path, self.size, trailers)

    def discard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


class ChunkDecoder:
    """aws-chunked, a push parser: feed it bytes as they come, it writes the content to `spool`.

    States: a chunk's header line, its data, the line end after them, the trailer's lines, the end.
    """

    def __init__(self, spool: Spool, signer: ChunkSigner | None, trailer: str) -> None:
        self._spool = spool
        self._signer = signer
        self._state: Literal["header", "data", "line end", "trailer", "end"] = "header"
        self._waiting = b""
        self._left = 0
        self._signature = ""
        self._trailer_is_good = signer is None or not trailer
        self._hash = hashlib.sha256()
        self._signed_trailer = b""
        make = checksums.of_header(trailer.lower()) if trailer else None
        self._promised = trailer.lower() if make else ""
        self._checksum = make() if make else None
        self.trailers: dict[str, str] = {}

    def feed(self, data: bytes) -> None:
        self._waiting += data
        while self._state != "end" and self._step():
            pass
        if self._state == "end" and self._waiting:
            raise _malformed()

    def _step(self) -> bool:
        """Take one line or piece of data off what is waiting; False when more must come first."""
        if self._state == "data":
            return self._take_data()
        line, found, rest = self._waiting.partition(b"\r\n")
        if not found:
            if len(self._waiting) > _LONGEST_LINE:
                raise _malformed()
            return False
        self._waiting = rest
        self._take_line(line)
        return True

    def _take_data(self) -> bool:
        piece, self._waiting = self._waiting[: self._left], self._waiting[self._left :]
        self._left -= len(piece)
        self._spool.write(piece)
        self._hash.update(piece)
        if self._checksum is not None:
            self._checksum.update(piece)
        if self._left == 0:
            self._state = "line end"
        return self._left == 0

    def _take_line(self, line: bytes) -> None:
        if self._state == "header":
            self._begin_chunk(line)
        elif self._state == "line end":
            if line:
                raise _malformed()
            self._end_chunk()
        elif line:
            self._take_trailer(line.decode("latin-1"))
        else:
            self._finish()

    def _begin_chunk(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        if not _HEXADECIMAL.fullmatch(size):
            raise _malformed()
        self._left = int(size, 16)
        self._signature = extension.removeprefix(b"chunk-signature=").decode("latin-1")
        self._hash = hashlib.sha256()
        if self._left:
            self._state = "data"
        else:
            self._end_chunk()
            self._state = "trailer"

    def _end_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check_chunk(self._signature, self._hash.hexdigest())
        self._state = "header"

    def _take_trailer(self, line: str) -> None:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "x-amz-trailer-signature":
            if self._signer is not None:
                self._signer.check_trailer(value, self._signed_trailer)
            self._trailer_is_good = True
            return
        if self._trailer_is_good and self._signer is not None:
            raise _malformed()  # behind the signature, or not promised
        self._signed_trailer += f"{name}:{value}\n".encode()
        self.trailers[name] = value

    def _finish(self) -> None:
        self._state = "end"
        if not self._trailer_is_good:
            raise AwsError("SignatureDoesNotMatch", "The trailing headers are not signed", 403)
        if self._checksum is None:
            return
        if self._promised not in self.trailers:
            raise AwsError("MalformedTrailerError", "The request promised a trailing checksum that did not come")
        if self.trailers[self._promised] != checksums.text(self._checksum):
            raise AwsError("BadDigest", f"The {self._promised} you specified did not match the calculated checksum.")

    def close(self) -> None:
        """The body has ended: was it whole?"""
        if self._state == "trailer" and not self._waiting and self._checksum is None:
            self._finish()  # some clients leave out the last empty line
        if self._state != "end":
            raise AwsError("IncompleteBody", "The request body ended before the last chunk")


def _malformed() -> AwsError:
    return AwsError("InvalidRequest", "The aws-chunked body is malformed")


async def receive(
    chunks: AsyncIterator[bytes], spool: Spool, headers: Mapping[str, str], signer: ChunkSigner | None
) -> Body:
    """Read the payload to its end and check what its headers promise. On an AwsError the spool is discarded."""
    word = headers.get("x-amz-content-sha256", "")
    _check_word(word)
    for promised in ("content-length", "x-amz-decoded-content-length"):
        if re.fullmatch("[0-9]{1,20}", headers.get(promised, "")):
            spool.check(int(headers[promised]))
    try:
        if word.startswith("STREAMING-"):
            decoder = ChunkDecoder(spool, signer, headers.get("x-amz-trailer", ""))
            async for chunk in chunks:
                decoder.feed(chunk)
            decoder.close()
            if "x-amz-decoded-content-length" not in headers:
                raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
            _check_length(headers.get("x-amz-decoded-content-length"), spool.size)
            return spool.body(decoder.trailers)
        async for chunk in chunks:
            spool.write(chunk)
        _check_length(headers.get("content-length"), spool.size)
        if len(word) == 64 and word != spool.sha256.hexdigest():
            raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match")
        return spool.body({})
    except BaseException:
        spool.discard()
        raise


def _check_word(word: str) -> None:
    """A word that nobody checks would be a signature over no body (S3 API reference, "Authorization Header")."""
    if word and word not in _WORDS and not _SHA256.fullmatch(word):
        words = ", ".join(sorted(_WORDS))
        raise AwsError("InvalidArgument", f"x-amz-content-sha256 must be a valid sha256 value or one of {words}")


def _check_length(promised: str | None, size: int) -> None:
    if promised is not None and promised != str(size):
        raise AwsError("IncompleteBody", "The body has another length than its header says")
