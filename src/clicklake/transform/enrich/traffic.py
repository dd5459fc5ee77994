"""Who made the event: a human, a bot, an AI agent or a tool. Flagged, never deleted.

The classes are PostHog's (posthog.com/docs/web-analytics/bot-detection): `ai_agent` reads for a model; `bot` is any
other service that comes by itself under its own name, monitoring included; `automation` is a tool that anyone runs;
`human` is whatever shows no sign of a machine. No user agent is no sign, so that is `human`, too.

Lists of bots are about browsers. A server that reports what its users did says python-httpx, and an app says what its
HTTP library is called: neither is a bot. So an event of `platform` server is always human, and of ios or android, too,
unless it has a browser's user agent. The libraries that apps use (okhttp, CFNetwork, Dart, Dalvik) are in no rule.
"""

import re
from collections.abc import Iterator
from functools import cache

import ua_parser_rs

from clicklake.transform.enrich.agents import FOUND, ORDER
from clicklake.transform.enrich.client_hints import brands
from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.enrich.device import readable, short

HUMAN = ("human", None)
APPS = frozenset({"ios", "android"})
HEADLESS = {"HeadlessChrome": ("automation", "HeadlessChrome")}

Rule = tuple[str, str, str, None, None, None]


def _traffic(_context: Context, user_agent: object, platform: object, sec_ch_ua: object) -> tuple[str, str | None]:
    agent = readable(user_agent)
    sender = platform.lower() if isinstance(platform, str) else ""
    if sender == "server" or (sender in APPS and not agent.startswith("Mozilla/")):
        return HUMAN
    found = _matcher().extract(agent) if agent else None
    if found is not None:
        name = _SPELLED.get(found.family.lower(), found.family)
        return HUMAN if found.major == "human" else (str(found.major), short(name))
    return next((HEADLESS[brand] for brand in brands(sec_ch_ua) if brand in HEADLESS), HUMAN)


traffic = Enrichment(
    reads=("user_agent", "platform", "headers.sec-ch-ua"), makes=("traffic_type", "bot_name"), make=_traffic
)


@cache
def _matcher() -> ua_parser_rs.UserAgentExtractor:
    """All rules as one matcher, built at first use.

    It is ua-parser's engine for "the first rule that matches": a rule is only tried if a word of it is in the text, so
    that a human, whom no rule matches, costs 2 to 3 µs. What ua-parser keeps a version's number in is our traffic_type.
    """
    return ua_parser_rs.UserAgentExtractor(matcher_rules())


def matcher_rules() -> Iterator[Rule]:
    """The rules of agents.py in the engine's form: pattern, name, type. The names of a group are one rule, in ASCII:
    that is half the time to build and a fifth of the memory of a rule for each."""
    for rules in ORDER:
        if names := rules.names:
            yield rf"(?i-u)\b({'|'.join(map(re.escape, names))})\b", FOUND, rules.traffic_type, None, None, None
        for name, pattern in rules.patterns:
            yield f"(?i){pattern}", name, rules.traffic_type, None, None, None


# A name in lower case -> as its operator spells it.
_SPELLED = {name.lower(): name for rules in ORDER for name in rules.names}
