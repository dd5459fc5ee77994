"""Who is no human: the rules of traffic.py, in the order in which they are asked. The first that matches decides.

Each group has names, each found as a whole word and told in its operator's own spelling, and after them patterns: pairs
of the name to tell and a Rust regular expression (docs.rs/regex: linear time, no look-around). Case never matters, but
inside `(?-i:...)`. With `FOUND` the name is what the first group of the pattern matched.

A name is here if no pattern finds it, or only under a worse name or type. Of the AI operators the names stand in their
documents: platform.openai.com/docs/bots, support.anthropic.com/en/articles/8896518, docs.perplexity.ai/guides/bots,
developers.google.com/search/docs/crawling-indexing/overview-google-crawlers, developer.amazon.com/amazonbot,
developers.facebook.com/docs/sharing/webmasters/web-crawlers, support.apple.com/en-us/119829.
"""

from typing import Literal, NamedTuple

TrafficType = Literal["human", "bot", "ai_agent", "automation"]


class Rules(NamedTuple):
    traffic_type: TrafficType
    names: tuple[str, ...]
    patterns: tuple[tuple[str, str], ...]


def listed(text: str) -> tuple[str, ...]:
    """The names of a text that are separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


FOUND = "$1"
# A product's name that has a word in it; not a part of an address.
_NAME = r"(?:^|[^a-z0-9_.!/@-])([a-z0-9_.!-]*"
_REST = r"[a-z0-9_.!-]*)"

# They read for a model: crawlers for training and search, and assistants that fetch a page because someone asked.
AI_AGENTS = Rules(
    "ai_agent",
    listed("""
    GPTBot, OAI-SearchBot, ChatGPT-User, ChatGPT-Browser, OAI-AdsBot, ClaudeBot, Claude-User, Claude-SearchBot,
    Claude-Web, Claude-Code, anthropic-ai, Anthropic-Claude, PerplexityBot, Perplexity-User, Google-Extended,
    Google-CloudVertexBot, Google-NotebookLM, Google-GeminiNotebook, Google-Pinpoint, Google-Agent,
    GoogleAgent-Mariner, Gemini-Deep-Research, meta-externalagent, meta-externalfetcher, meta-webindexer,
    FacebookBot, Amazonbot, Amzn-SearchBot, Amzn-User, AmazonBuyForMe, bedrockbot, NovaAct, Applebot-Extended,
    Bytespider, CCBot, DuckAssistBot, AzureAI-SearchBot, GitHubCopilotChat, MistralAI-User, MistralAI-Index,
    cohere-ai, cohere-training-data-crawler, Cohere-Command, DeepSeekBot, GrokBot, xAI-Bot, xAI-SearchBot, YouBot,
    PhindBot, iAskBot, iaskspider, Andibot, LinerBot, Manus-User, Crawl4AI, AI2Bot-Dolma, AI2Bot, Diffbot, PanguBot,
    ChatGLM-Spider, KlaviyoAIBot, Kangaroo Bot, ImagesiftBot, img2dataset, LAIONDownloader, Spawning-AI, Timpibot,
    omgilibot, omgili, Webzio-Extended, VelenPublicWebCrawler, Cotoyogi, SBIntuitionsBot, TerraCotta, WRTNBot,
    Cloudflare-AutoRAG, Poggio-Citations, bigsur.ai, KimiBot, Kimi-SearchBot, Kimi-User, HuggingFace-Bot,
    Replicate-Bot, Together-Bot, Groq-Bot, RunPod-Bot, YandexAdditionalBot, YandexAdditional, ShapBot, QualifiedBot,
    TavilyBot, LinkupBot, kagi-fetcher, TikTokSpider, Brightbot
    """),
    (
        ("Devin", r"\bDevin/\d"),
        ("FirecrawlAgent", r"firecrawl"),
        # The name says what it is for (FooAI-Bot, ai-crawler, LLMSpider, Foo-AI/1.0), or the home page does.
        (FOUND, r"\b([a-z0-9_.-]*(?:(?-i:AI|Ai)|\bai|llm|gpt)[-_]?(?:bot|crawler|spider|agent|search|user)[a-z]*)\b"),
        (FOUND, r"\b([a-z0-9_.]+-AI)/\d"),
        (FOUND, r"compatible; ?([a-z0-9_.!-]+)[^)]*[ (]\+https?://[a-z0-9.-]+\.ai\b"),
        (FOUND, r"^([a-z0-9_.!-]+)[^)]*[ (]\+https?://[a-z0-9.-]+\.ai\b"),
    ),
)

# Services that come by themselves under their own name: search, SEO, link previews, feeds, monitoring, security.
BOTS = Rules(
    "bot",
    listed("""
    Googlebot-Image, Googlebot-News, Googlebot-Video, Googlebot, AdsBot-Google, Mediapartners-Google, bingbot,
    BingPreview, adidxbot, msnbot, MicrosoftPreview, DuckDuckBot, Baiduspider, baidu Transcoder, Applebot, Qwantify,
    Daum, Daumoa, ia_archiver, Ask Jeeves, Mnogosearch, Scooter, coccoc, TinEye, Netcraft, Gigablast,
    GigablastOpenSource, Twingly, Owler, facebookexternalhit, facebookcatalog, facebookexternalua, meta-externalads,
    Twitterbot, LinkedInBot, Slackbot, Slack-ImgProxy, Discordbot, TelegramBot, SkypeUriPreview, redditbot, vkShare,
    Embedly, Iframely, Mastodon, Nuzzel, ips-agent, SISTRIX, SiteImprove, Seobility, BuiltWith, Datanyze, Outbrain,
    Screaming Frog SEO Spider, Sitebulb, MarketGoo, Adbeat, Mixnode, WhatCMS, SecurityHeaders, Convertify,
    Miniature.io, Sprinklr, Browsershots, Functionize, Hatena, Detectify, Assetnote, CensysInspect,
    Barracuda Sentinel, SimplePie, UptimeRobot, StatusCake, Uptime-Kuma, Uptimia, NodePing, Catchpoint, GTmetrix,
    HetrixTools, Checkly, kube-probe, ELB-HealthChecker, Zabbix, check_http, Blackbox Exporter, Ghost Inspector,
    WebMon, Feedly, Feedbin, FeedBurner, Inoreader, theoldreader, NewsBlur Feed, FreshRSS, Miniflux, Blogtrottr,
    EmailWolf, azure-logic-apps, amazon-kendra, github-camo, keycdn-tools, blackboardally, PocketImageCache,
    Xenu Link Sleuth
    """),
    (
        ("Google PageSpeed Insights", r"Google Page ?Speed|Chrome-Lighthouse"),
        ("Gmail Image Proxy", r"GoogleImageProxy"),
        # Google-InspectionTool, Google-Safety, GoogleOther, APIs-Google; not the library Google-HTTP-Java-Client.
        (
            FOUND,
            r"\b(Google-(?:[a-gi-z]|ho)[a-z-]+|Google(?:Other|Prober|Sites|Producer|Association|AdSense|Docs|HC)[a-z-]*)",
        ),
        (FOUND, r"\b([a-z]+-Google|Google (?:Favicon|Search Console|Web Preview))\b"),
        ("Yahoo! Slurp", r"\bSlurp\b"),
        (FOUND, r"\b(Yahoo(?:CacheSystem|:LinkExpander))"),
        # Not Yandex's browser (YaBrowser) and its app (YandexSearch).
        (FOUND, r"\b(Yandex(?:Access|Blogs|Bot|Direct|Fav|Images|Market|Media|Metrika|Mobile|News|Ontoo|Page)[a-z]*)"),
        (FOUND, r"\b(Yandex(?:Partner|Render|Site|Sprav|Tracker|Turbo|Vertis|Video|Webmaster)[a-z]*)"),
        ("Pinterestbot", r"\bPinterest(?:bot|/0\.\d)"),
        # The app's own agent is this and nothing else when it fetches a link's preview.
        ("WhatsApp", r"^WhatsApp(?:/[0-9.]+[ /]?[a-z]?)?$"),
        (FOUND, r"(Site24x7|ThousandEyes|Pingdom|Datadog|Shodan|LeakIX|GoogleStackdriver)"),
        ("LeakIX", r"\bl9(?:explore|tcpid|scan)"),
        ("WebPageTest", r"\bPTST/"),
        ("New Relic Synthetics", r"NewRelicPinger"),
        ("Dotcom-Monitor", r"DMBrowser"),
        # Words that an app may be called by, too: only at the start.
        (FOUND, r"^(WordPress|XenForo|Castopod|phpMyAdmin|Matomo|munin|Prometheus|Grafana|collectd)\b"),
        (FOUND, r"\b(Cloudflare-?[a-z]+|(?:COMODO|Sectigo|DigiCert) DCV)\b"),
        (
            FOUND,
            r"^(iTMS|Zeno|xtate|Robozilla|Octopus|Magellan|Trackable|bitdiscovery|libredtail-http|PritTorrent|LinkChain)",
        ),
        (FOUND, r"(360JK|Sparkler|WebMoney Advisor|EMail Exractor|Wordup|internal dummy connection)"),
        # What hijacked routers and cameras call themselves when they look for others.
        (
            "botnet",
            r"^(?:Hakai|Kowai|LoliSec|LMAO|masjesu|Komaru|nvd[o0]rz|b3astmode|xfa1|Hells-Net|Insomania|Anarchy99)\b",
        ),
        # A fetcher of feeds tells for how many it fetches.
        (FOUND, r"^(?:Mozilla/5\.0 \(compatible; )?([a-z0-9_.!-]+).*\b\d+ (?:subscriber|reader)s?\b"),
    ),
)

# Phones and browsers that only sound like bots.
NO_BOTS = Rules(
    "human",
    ("Cubot",),
    (
        # The model in Android's own comment: "(Linux; Android 13; XBot Junior)".
        ("Android", r"\(Linux;[^()]*Android[^()/]*[ _][a-z]*(?:bot[0-9]*|spider)[a-z]*[ _;)][^()]*\)"),
        ("Embedded Web Browser", r"bsalsa\.com"),
    ),
)

# A name that ends in what it does.
NAMED_FOR_IT = Rules(
    "bot",
    (),
    (
        (FOUND, r"^((?:[a-z0-9_.!-]+ ){1,3}(?:bot|crawler|spider))\b"),
        (FOUND, rf"{_NAME}(?:bots?\b|bot[-_0-9]){_REST}"),
        (FOUND, rf"{_NAME}(?:crawl|spider|robot|xrawl){_REST}"),
    ),
)

# Tools that anyone runs: headless browsers, HTTP libraries, load generators, scanners.
AUTOMATION = Rules(
    "automation",
    listed("""
    PhantomJS, SlimerJS, Playwright, Puppeteer, Selenium, HtmlUnit, jsdom, Apache-HttpClient,
    Jakarta Commons-HttpClient, AHC, RestSharp, GuzzleHttp, libwww-perl, lwp-request, lwp-trivial, fasthttp,
    go-resty, colly, WWW-Mechanize, WinHttpRequest, ApacheBench, Apache-JMeter, PostmanRuntime, ReqBin, HTTrack,
    Nutch, SiteSucker, WebZIP, WebCopier, Teleport Pro, aria2, Nikto, sqlmap, masscan, zgrab, Nmap Scripting Engine,
    WPScan, WhatWeb, OpenVAS, gobuster, ffuf, Arachni, Acunetix, ZmEu
    """),
    (
        ("HeadlessChrome", r"HeadlessChrome"),
        ("Cypress", r"\bCypress/\d"),
        (FOUND, r"^(gatling|locust|siege|vegeta|wrk|insomnia|newspaper|nuclei|webdriver)\b"),
        ("Splash", r"\bsplash Version/"),
        ("Go-http-client", r"\bGo-http-client|^Go \d|Go http package"),
        ("Java", r"^Java/\d|Java-http-client"),
        ("Node.js", r"^node(?:\.js)?(?:/|$)"),
        ("PHP", r"^PHP[/ ]\d"),
        ("Ruby", r"^Ruby(?:/|$)"),
        ("PowerShell", r"\bPowerShell/"),
        (
            FOUND,
            r"\b(python-[a-z]+|aiohttp|urllib3|scrapy|node-fetch|axios|undici|superagent|request-promise)\b",
        ),
        (
            FOUND,
            r"^((?:lib)?curl|got|wget2?|httpie|reqwest|ureq|hyper|deno|bun|faraday|http\.rb|rest-client|typhoeus|hey)\b",
        ),
        (FOUND, r"\b(k6)/\d"),
        ("httpx", r"projectdiscovery/httpx"),
        # Somebody tries what the reader does with it: a lookup, a template, code.
        ("injection", r"\$\{[a-z]+:|\{\{|<\?"),
        # A program whose author never filled in the name.
        (
            "unnamed",
            r"^(?:Mozilla(?:/[45]\.0)?(?: \(compatible;?\))?|Chrome|Firefox|Safari|Google|hello,? world|parser|test)$",
        ),
        ("unnamed", r"user[-_ ]?agent"),
    ),
)

# What no person's browser says of itself: what it is for, where its home page is.
WORDS = Rules(
    "bot",
    (),
    (
        (
            FOUND,
            rf"{_NAME}(?:scrap(?:er|ing|y)|fetch|archiv|monitor|check|validator|preview|favicon|synthetic|lookup){_REST}",
        ),
        (
            FOUND,
            rf"{_NAME}(?:analyz|resolver|extract|research|verif|scann|(?:mail|image) ?proxy|retriev|finder){_REST}",
        ),
        (
            FOUND,
            rf"{_NAME}(?:audit|probe|inspector|measurement|observatory|diagnostic|collector|searcher|indexer|internetx?search){_REST}",
        ),
        (
            FOUND,
            rf"{_NAME}(?:externalhit|survey|sectxt|leadgen|prospect|webparser|urldownloader|webhook|sitemap|gitops){_REST}",
        ),
        (FOUND, rf"{_NAME}(?:recon\b|(?-i:[a-z](?:Agent|Scan)\b)){_REST}"),
        (FOUND, r"compatible; ?\+?(?:https?://)?(?:www\.)?([a-z][a-z0-9_.!-]+)[^()]*https?://"),
        (FOUND, r"^Mozilla/.*(?:https?://(?:www\.)?|www\.)([a-z0-9.-]+)"),
        (FOUND, r"\(via ([a-z0-9.-]+)"),
        (FOUND, r"[a-z0-9_.+-]+(?:@|\[at\]|\(at\))([a-z0-9-]+\.[a-z]{2,})"),
        # "Mozilla/5.0 (compatible; Name/1.0)" and its kin have no operating system.
        (FOUND, r"^Mozilla/\d\.\d \(compatible; ?([a-z][a-z0-9 _.!-]+)(?:/[^;()]+)?\)$"),
        (FOUND, r"^Mozilla/\d\.\d \(?([a-z][a-z0-9_.!-]+)(?:/[0-9a-z.-]+)?\)?$"),
        (FOUND, r"\bGecko[;)] ?\(?compatible; ([a-z][a-z0-9 _.!-]+)"),
    ),
)

# An app on a person's device tells its home page, too: readers of feeds, players of podcasts.
APPS = Rules(
    "human",
    (),
    (
        ("system", r"\b(?:iOS|iPhone|iPad|Android|CFNetwork|Darwin|ExoPlayerLib|macOS|Windows)\b"),
        (
            "reader",
            r"pod(?:cast|bean|vine|chaser|der)|castero|RSS ?(?:Reader|Bandit|Owl)|NetNewsWire|Liferea|newsbeuter",
        ),
        ("reader", r"Omea Reader|XBMC|Kodi/|qbittorrent"),
    ),
)

# Of the rest, what stands before an address is the name, or the address is.
ADDRESSES = Rules(
    "bot",
    (),
    (
        (FOUND, r"^([^/(;:<]+[^/(;:< -]).*https?://"),
        (FOUND, r"https?://(?:www\.)?([a-z0-9.-]+)"),
        (FOUND, r"\bwww\.([a-z0-9-]+\.[a-z]{2,})"),
        (FOUND, r"^([a-z0-9.-]+\.(?:com|net|org|[a-z]{2}))(?:/|$)"),
    ),
)

ORDER = (AI_AGENTS, BOTS, NO_BOTS, NAMED_FOR_IT, AUTOMATION, WORDS, APPS, ADDRESSES)
