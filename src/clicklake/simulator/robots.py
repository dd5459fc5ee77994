# ruff: noqa: E501 - the tables are read by the line: one robot a line
"""The visitors of the imaginary shop that are no people: what they say they are, and what they truly are.

The four classes are those of PostHog's bot detection (posthog.com/docs/web-analytics/bot-detection): AI crawlers, AI
search and assistants are `ai_agent`; search, SEO and preview crawlers and monitoring are `bot`; HTTP clients and
browsers under remote control are `automation`.
"""

from dataclasses import dataclass
from typing import Literal

from clicklake.simulator.chance import Weighted

Traffic = Literal["human", "bot", "ai_agent", "automation"]


@dataclass(frozen=True, slots=True)
class Robot:
    """`agent` is a sentence of the rules in devices.py."""

    name: str
    traffic: Traffic
    agent: str


_COMPATIBLE = "Mozilla/5.0 (compatible; "
_AI = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "
_LINUX = "Mozilla/5.0 (X11; Linux x86_64) {blink}"
_NEXUS = "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) {blink} Chrome/{chromium} Mobile Safari/537.36"
_GOOGLE = "+http://www.google.com/bot.html)"

_TABLE: tuple[tuple[float, str, Traffic, str], ...] = (
    (6, "Googlebot", "bot", f"{_NEXUS} (compatible; Googlebot/2.1; {_GOOGLE}"),
    (3, "Googlebot", "bot", f"{_COMPATIBLE}Googlebot/2.1; {_GOOGLE}"),
    (1, "Googlebot", "bot", f"{_AI}Googlebot/2.1; {_GOOGLE} Chrome/{{chromium}} Safari/537.36"),
    (1, "Googlebot-Image", "bot", "Googlebot-Image/1.0"),
    (1, "AdsBot-Google", "bot", "AdsBot-Google (+http://www.google.com/adsbot.html)"),
    (3, "bingbot", "bot", f"{_AI}bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/{{chromium}} Safari/537.36"),
    (1, "bingbot", "bot", f"{_COMPATIBLE}bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
    (1, "YandexBot", "bot", f"{_COMPATIBLE}YandexBot/3.0; +http://yandex.com/bots)"),
    (1, "Baiduspider", "bot", f"{_COMPATIBLE}Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"),
    (1, "Applebot", "bot", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/{safari_mac} Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"),
    (1, "DuckDuckBot", "bot", "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)"),
    (1, "PetalBot", "bot", "Mozilla/5.0 (Linux; Android 7.0;) {blink} Mobile Safari/537.36 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)"),
    (2, "AhrefsBot", "bot", f"{_COMPATIBLE}AhrefsBot/7.0; +http://ahrefs.com/robot/)"),
    (2, "SemrushBot", "bot", f"{_COMPATIBLE}SemrushBot/7~bl; +http://www.semrush.com/bot.html)"),
    (1, "MJ12bot", "bot", f"{_COMPATIBLE}MJ12bot/v1.4.8; http://mj12bot.com/)"),
    (1, "DotBot", "bot", f"{_COMPATIBLE}DotBot/1.2; +https://opensiteexplorer.org/dotbot; help@moz.com)"),
    (1, "facebookexternalhit", "bot", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    (1, "Twitterbot", "bot", "Twitterbot/1.0"),
    (1, "Slackbot", "bot", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"),
    (1, "Discordbot", "bot", f"{_COMPATIBLE}Discordbot/2.0; +https://discordapp.com)"),
    (1, "LinkedInBot", "bot", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"),
    (1, "Pinterestbot", "bot", f"{_COMPATIBLE}Pinterestbot/1.0; +http://www.pinterest.com/bot.html)"),
    (1, "TelegramBot", "bot", "TelegramBot (like TwitterBot)"),
    (2, "UptimeRobot", "bot", f"{_COMPATIBLE}UptimeRobot/2.0; http://www.uptimerobot.com/)"),
    (1, "Pingdom", "bot", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)"),
    (1, "Feedly", "bot", "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 12 subscribers)"),
    (3, "GPTBot", "ai_agent", f"{_AI}GPTBot/1.2; +https://openai.com/gptbot)"),
    (2, "OAI-SearchBot", "ai_agent", f"{_AI}OAI-SearchBot/1.0; +https://openai.com/searchbot)"),
    (3, "ChatGPT-User", "ai_agent", f"{_AI}ChatGPT-User/1.0; +https://openai.com/bot)"),
    (2, "ClaudeBot", "ai_agent", f"{_AI}ClaudeBot/1.0; +claudebot@anthropic.com)"),
    (1, "Claude-User", "ai_agent", f"{_AI}Claude-User/1.0; +Claude-User@anthropic.com)"),
    (1, "PerplexityBot", "ai_agent", f"{_AI}PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)"),
    (1, "Perplexity-User", "ai_agent", f"{_AI}Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)"),
    (1, "meta-externalagent", "ai_agent", "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)"),
    (1, "Bytespider", "ai_agent", "Mozilla/5.0 (Linux; Android 5.0) {blink} Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)"),
    (1, "CCBot", "ai_agent", "CCBot/2.0 (https://commoncrawl.org/faq/)"),
    (1, "Amazonbot", "ai_agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_10_1) {webkit} Version/8.0.2 Safari/600.2.5 (Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)"),
    (1, "MistralAI-User", "ai_agent", f"{_AI}MistralAI-User/1.0; +https://docs.mistral.ai/robots)"),
    (3, "HeadlessChrome", "automation", f"{_LINUX} HeadlessChrome/{{chrome}}.0.0.0 Safari/537.36"),
    (1, "PhantomJS", "automation", "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1"),
    (1, "Cypress", "automation", f"{_LINUX} Cypress/13.{{minor}}.0 Chrome/{{chromium}} Electron/27.3.10 Safari/537.36"),
    (2, "python-requests", "automation", "python-requests/2.3{minor}.3"),
    (1, "python-httpx", "automation", "python-httpx/0.2{minor}.0"),
    (1, "aiohttp", "automation", "Python/3.12 aiohttp/3.{minor}.5"),
    (1, "curl", "automation", "curl/8.{minor}.1"),
    (1, "Wget", "automation", "Wget/1.21.{minor}"),
    (1, "Go-http-client", "automation", "Go-http-client/2.0"),
    (1, "Scrapy", "automation", "Scrapy/2.1{minor}.0 (+https://scrapy.org)"),
    (1, "axios", "automation", "axios/1.{minor}.2"),
    (1, "node-fetch", "automation", "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)"),
    (1, "Apache-HttpClient", "automation", "Apache-HttpClient/4.5.1{minor} (Java/17.0.{minor})"),
    (1, "PostmanRuntime", "automation", "PostmanRuntime/7.4{minor}.0"),
)  # fmt: skip
ROBOTS = Weighted((weight, Robot(name, traffic, agent)) for weight, name, traffic, agent in _TABLE)
