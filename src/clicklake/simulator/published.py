"""Visitors' devices from published lists: browsers as often as they were seen, and what crawlers say that they are.

The lists, their licences and how they are made anew are in NOTICE.md. They come with truths of their own, on which our
rules had no influence: a browser's kind of device, and what a crawler is for. Crawlers of a long list are met as often
as each other; those that are met often in truth are in robots.py, and half of the robots are of each.
"""

import re
from collections import defaultdict
from functools import lru_cache
from importlib.resources import files
from random import Random

from clicklake.simulator.chance import Weighted
from clicklake.simulator.devices import Device, Headers, app, robot
from clicklake.simulator.robots import Traffic

_ROBOTS, _APPS = 0.2, 0.12  # of the visitors; of the people
_KNOWN, _LISTED = 0.45, 0.9  # of the robots; the rest pretends to be a browser

# What a crawler is by its tag in the list, the first that fits. Its scanners are mostly services that check
# certificates, cookies or security by themselves, so they are bots.
_CLASSES: tuple[tuple[str, Traffic], ...] = (
    ("ai-crawler", "ai_agent"),
    ("http-library", "automation"),
    ("browser-automation", "automation"),
)
_CHROMIUM = re.compile(r"Chrome/(\d+)")
# Chromium browsers tell their brand, by what only their User-Agent has.
_BRANDS = (("Edg", "Microsoft Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"))
_SYSTEMS = (("Android", "Android"), ("CrOS", "Chrome OS"), ("Windows", "Windows"), ("Mac OS X", "macOS"))


def device(random: Random) -> Device:
    """A visitor's: a browser of the list, an app of the shop, or a robot of any sort."""
    if random.random() < _ROBOTS:
        return _robot(random)
    return app(random) if random.random() < _APPS else browser(random)


def browser(random: Random) -> Device:
    return _browsers().pick(random)


def _robot(random: Random) -> Device:
    drawn = random.random()
    if drawn < _KNOWN:
        return robot(random)
    if drawn < _LISTED:
        crawlers = _crawlers()
        names = crawlers[int(random.random() * len(crawlers))]
        return names[int(random.random() * len(names))]
    seen = browser(random)
    return Device(seen.user_agent, seen.hints, traffic="automation", robot="disguised", disguised=True)


def _rows(name: str) -> list[list[str]]:
    lines = files("clicklake.simulator").joinpath(name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@lru_cache(maxsize=1)
def _browsers() -> Weighted[Device]:
    return Weighted(
        (float(weight), Device(agent, _hints(agent, kind), moves=kind != "desktop", kind=kind))
        for weight, kind, _, agent in _rows("browsers.tsv")
    )


@lru_cache(maxsize=1)
def _crawlers() -> list[list[Device]]:
    """The User-Agents of each."""
    found: defaultdict[str, list[Device]] = defaultdict(list)
    for name, tags, agent in _rows("crawlers.tsv"):
        found[name].append(Device(agent, {}, traffic=_class(tags.split(",")), robot=name, listed=True))
    return list(found.values())


def _class(tags: list[str]) -> Traffic:
    return next((traffic for tag, traffic in _CLASSES if tag in tags), "bot")


def _hints(agent: str, kind: str) -> Headers:
    """The three that Chromium sends to every site: wicg.github.io/ua-client-hints"""
    found = _CHROMIUM.search(agent)
    system = next((name for word, name in _SYSTEMS if word in agent), "Linux")
    if found is None or "; wv)" in agent:
        return {}
    brand = next((name for word, name in _BRANDS if word in agent), "Google Chrome")
    return {
        "sec-ch-ua": f'"{brand}";v="{found[1]}", "Chromium";v="{found[1]}", "Not?A_Brand";v="8"',
        "sec-ch-ua-mobile": "?1" if kind == "mobile" else "?0",
        "sec-ch-ua-platform": f'"{system}"',
    }
