"""What the Firehose log suffers while its endpoint is dead.

A crash or a lying disk may do anything to bytes that nobody was told of: those behind the last frame with an
acknowledged record in it. Acknowledged bytes are damaged too, but then what they held is remembered: the endpoint can't
bring it back, and must keep and tell it.
"""

import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chaos.plan import Damage
from localaws.firehose import log as write_ahead

ID = re.compile(rb"(?:event|malformed)-\d+-\d{8}")


@dataclass(frozen=True, slots=True)
class _Frame:
    start: int
    end: int
    ids: frozenset[str]


def ids_in(data: bytes) -> list[str]:
    return [found.decode() for found in ID.findall(data)]


def strike(folder: Path, damage: Damage, acknowledged: set[str], chance: random.Random) -> set[str]:
    """Damage the newest segment in the stream's folder, if there is one; the acknowledged ids that this destroyed."""
    segments = write_ahead.segments(folder)
    if damage is Damage.NONE or not segments:
        return set()
    path = segments[-1].path
    data = bytearray(path.read_bytes())
    frames = list(_frames(bytes(data)))
    known = [frame for frame in frames if frame.ids & acknowledged]
    lost: set[str] = set()
    if damage is Damage.ACKNOWLEDGED:
        if known:
            victim = chance.choice(known)
            _flip_beside_the_ids(data, victim, chance)
            lost = set(victim.ids & acknowledged)
    else:
        end = known[-1].end if known else 0
        data[end:] = _damaged(bytes(data[end:]), damage, chance)
    path.write_bytes(data)
    os.sync()
    return lost


def _flip_beside_the_ids(data: bytearray, victim: _Frame, chance: random.Random) -> None:
    """A bit of the frame, but of no id: by its id an event is looked for in what was set aside."""
    before = bytes(data[victim.start : victim.end])
    while True:
        after = bytearray(before)
        after[chance.randrange(len(after))] ^= 1 << chance.randrange(8)
        if ids_in(bytes(after)) == ids_in(before):
            data[victim.start : victim.end] = after
            return


def _damaged(tail: bytes, damage: Damage, chance: random.Random) -> bytes:
    match damage:
        case Damage.CUT:
            return tail[: chance.randrange(len(tail) + 1)]
        case Damage.FLIPPED if tail:
            at = chance.randrange(len(tail))
            return tail[:at] + bytes([tail[at] ^ 1 << chance.randrange(8)]) + tail[at + 1 :]
        case Damage.ZEROS:
            return tail + bytes(chance.randrange(1, 5000))
        case _:
            return tail + chance.randbytes(chance.randrange(1, 5000))


def _frames(data: bytes) -> Iterator[_Frame]:
    for start, end in write_ahead.frames(data):
        yield _Frame(start, end, frozenset(ids_in(data[start:end])))
