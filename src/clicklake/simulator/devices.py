# ruff: noqa: E501 - the tables are read by the line: one browser a line
"""What the imaginary shop's visitors hold in their hands: User-Agents said by a grammar, and their client hints.

A family is a browser on a system; its sentence has slots for versions, models and builds, so that a few dozen lines
make thousands of browsers, most of them old or rare, as in real logs. Chromium freezes most of its User-Agent
(chromium.org/updates/ua-reduction), so the variety is in the browsers inside apps and in what does not update.
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

from clicklake.simulator.chance import Rule, Weighted, Words, falling, number, words
from clicklake.simulator.robots import ROBOTS, Traffic

Platform = Literal["web", "ios", "android"]
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """`moves` devices lose their network now and then and send later; `traffic` is what the device truly is, `kind`
    desktop, mobile or tablet if that is known. A robot is `listed` if it is of a published list's long tail, and
    `disguised` if it says that it is a browser."""

    user_agent: str
    hints: Headers
    platform: Platform = "web"
    moves: bool = False
    traffic: Traffic = "human"
    robot: str | None = None
    kind: str | None = None
    listed: bool = False
    disguised: bool = False

    @property
    def app_id(self) -> str:
        return f"shop-{self.platform}"


@dataclass(frozen=True, slots=True)
class Family:
    """`agent` is a sentence of RULES. A Chromium browser that sends client hints says `brand` (with the word of the
    slot `version` as its version) and `system` in them."""

    agent: str
    platform: Platform = "web"
    moves: bool = False
    brand: str | None = None
    version: str = "chrome"
    system: str = "Windows"


# --- versions and models: newest first where they fall ---------------------------------------------------------------

_CHROMES = [str(version) for version in range(142, 108, -1)]
# Chromium's build numbers by major version: chromiumdash.appspot.com/releases
_BUILDS = {
    142: 7444, 141: 7390, 140: 7339, 139: 7258, 138: 7204, 137: 7151, 136: 7103, 135: 7049, 134: 6998, 133: 6943,
    132: 6834, 131: 6778, 130: 6723, 129: 6668, 128: 6613, 127: 6533, 126: 6478, 125: 6422, 124: 6367, 123: 6312,
    122: 6261, 121: 6167, 120: 6099, 119: 6045, 118: 5993, 117: 5938, 116: 5845, 115: 5790, 114: 5735, 112: 5615,
}  # fmt: skip
_FIREFOXES = [
    "144.0",
    "143.0",
    "142.0",
    "140.0",
    "141.0",
    "128.0",
    "139.0",
    "138.0",
    "137.0",
    "136.0",
    "134.0",
    "115.0",
]
_IOS = [
    "18.6.2", "18.5", "18.6", "18.7", "18.3.2", "18.1.1", "17.6.1", "18.4.1", "18.7.1", "16.7.11", "18.3.1", "18.0.1",
    "17.5.1", "17.7.2", "18.2.1", "17.4.1", "18.4", "15.8.4", "17.3.1", "16.6.1", "17.1.2", "16.3.1", "15.6.1", "14.8.1",
]  # fmt: skip
_IPHONES = [f"iPhone{model}" for model in (
    "15,2", "14,5", "16,1", "15,4", "17,3", "16,2", "15,3", "14,7", "13,2", "17,1", "12,1", "17,2", "14,2", "13,3",
    "12,8", "14,6", "14,3", "11,8", "15,5", "17,4", "13,1", "12,5", "14,4", "17,5", "14,8", "10,4", "11,2",
)]  # fmt: skip
_ANDROID_BUILDS = [
    ("14", "UP1A.231005.007"), ("15", "AP3A.240905.015.A2"), ("13", "TP1A.220624.014"), ("16", "BP2A.250605.031.A3"),
    ("12", "SP1A.210812.016"), ("11", "RP1A.200720.012"), ("15", "AP4A.250205.002"), ("10", "QP1A.190711.020"),
    ("14", "UKQ1.230924.001"), ("13", "TKQ1.221114.001"), ("9", "PPR1.180610.011"), ("8.1.0", "O11019"),
]  # fmt: skip
_PHONE_MODELS = (
    *(f"SM-{model}{market}" for market in "BUN0" for model in (
        "S921", "S911", "A546", "S928", "A155", "A146", "G991", "S901", "A346", "A536", "A256", "G998", "A135",
        "A127", "A057", "S931", "S938", "A566", "F946", "F731", "M146", "A525", "G781", "A515", "S711", "A166",
    )),
    "Pixel 6", "Pixel 6a", "Pixel 6 Pro", "Pixel 7", "Pixel 7a", "Pixel 7 Pro", "Pixel 8", "Pixel 8a", "Pixel 8 Pro",
    "Pixel 9", "Pixel 9 Pro", "Pixel 9a", "M2101K6G", "2201117TY", "23049PCD8G", "22101316G", "23117RA68G", "2312DRA50G",
    "23106RN0DA", "24117RN76G", "Redmi Note 8 Pro", "Redmi Note 9S", "CPH2447", "CPH2581", "CPH2339", "CPH2565",
    "CPH2609", "RMX3630", "RMX3760", "RMX3834", "V2250", "V2318", "V2206", "moto g(60)", "moto g54 5G",
    "motorola edge 40", "ELS-NX9", "VOG-L29", "JNY-LX1", "Nokia G20", "Nokia X20", "XQ-DC54", "XQ-BC52", "ANY-NX1",
    "REA-NX9", "Infinix X6833B", "TECNO KI7", "SO-51C", "SH-M24", "A063", "A142",
)  # fmt: skip
_TABLET_MODELS = ("SM-X710", "SM-X200", "SM-X510", "SM-T870", "SM-T500", "SM-X906B", "TB-X606F", "TB310FU")


def _chromium(builds: dict[int, int]) -> Rule:
    return falling([f"{major}.0.{build}.{{patch}}" for major, build in builds.items()], 0.8)


def _android(models: str) -> Rule:
    return falling([f"Android {version}; {models} Build/{build}" for version, build in _ANDROID_BUILDS], 0.8)


RULES: dict[str, Rule] = {
    "chrome": falling(_CHROMES, 0.72),
    "chromium": _chromium(_BUILDS),
    "edge": falling(_CHROMES[1:20], 0.6),
    "opera": falling([str(version) for version in range(123, 100, -1)], 0.7),
    "samsung": falling(["28.0", "29.0", "27.0", "26.0", "25.0", "24.0", "23.0", "21.0", "19.0"], 0.6),
    "firefox": falling(_FIREFOXES, 0.7),
    "ios": falling([version.replace(".", "_") for version in _IOS], 0.87),
    "ios_facebook": falling([f"{version.replace('.', '_')} like Mac OS X) {{webkit}} Mobile/{{mobile}} [FBAN/FBIOS;FBAV/{{facebook}}.0.0.{{minor}}.70;FBBV/{{build}};FBDV/{{iphone}};FBMD/iPhone;FBSN/iOS;FBSV/{version}" for version in _IOS], 0.87),
    "safari_ios": falling(
        # Since 26 Safari names the system 18_6, whatever it is: webkit.org/blog/17333
        ["18_6 like Mac OS X) {webkit} Version/26.0"]
        + [f"{version.replace('.', '_')} like Mac OS X) {{webkit}} Version/{version[:4]}" for version in _IOS], 0.87
    ),
    "safari_mac": falling(["18.6", "18.5", "26.0", "17.6", "18.3", "18.1.1", "17.4.1", "16.6", "15.6.1", "14.1.2"], 0.7),
    "webkit": words("AppleWebKit/605.1.15 (KHTML, like Gecko)"),
    "blink": words("AppleWebKit/537.36 (KHTML, like Gecko)"),
    "iphone": falling(_IPHONES, 0.93),
    "phone": falling(_PHONE_MODELS, 0.97),
    "tablet": words(*_TABLET_MODELS),
    "fire": words("KFTRWI", "KFRAWI", "KFSNWI", "KFTUWI", "KFMUWI"),
    "android_version": falling(["14", "15", "13", "16", "12", "11", "10", "9"], 0.7),
    "phone_build": _android("{phone}"),
    "tablet_build": _android("{tablet}"),
    "windows": Weighted(((94, "10.0; Win64; x64"), (3, "6.1; Win64; x64"), (2, "10.0; WOW64"), (1, "6.3; Win64; x64"))).pick,
    "linux": Weighted(((3, "X11; Linux x86_64"), (2, "X11; Ubuntu; Linux x86_64"), (1, "X11; Fedora; Linux x86_64"))).pick,
    "tongue": words("de_DE", "en_US", "en_GB", "fr_FR", "ja_JP", "pt_BR", "es_ES", "pl_PL", "it_IT"),
    "screen": words("1170x2532", "1179x2556", "1290x2796", "750x1334", "828x1792", "1125x2436", "1206x2622"),
    "screen_android": words("1080x2340", "1080x2400", "720x1600", "1440x3120", "1080x2412", "1440x3088"),
    "facebook": falling([str(version) for version in range(521, 440, -1)], 0.9),
    "instagram": falling([str(version) for version in range(386, 320, -1)], 0.9),
    "patch": words("49", "70", "92", "101", "114", "119", "154", "204"),
    "minor": number(0, 10),
    "build": words(*(str(702_000_000 + 1_234_567 * build) for build in range(20))),
    "mobile": words("15E148", "15E148", "15E148", "22F76", "21G93", "22G86", "20H350"),
    "darwin": falling(
        ["3826.500.131 Darwin/24.5.0", "3826.600.41 Darwin/24.6.0", "1498.700.2 Darwin/23.6.0", "1410.0.3 Darwin/22.6.0",
         "3860.100.1 Darwin/25.0.0", "1335.0.3.4 Darwin/21.6.0"], 0.7
    ),
    "app": falling(["5.2.1", "5.2.0", "5.1.3", "5.1.0", "5.0.2", "4.9.8", "4.8.0"], 0.5),
    "cros": words("14541.0.0", "14541.0.0", "16093.57.0", "15917.71.0"),
    "nt": words("15.0.0", "10.0.0", "19.0.0", "13.0.0"),
    "mac": words("15.5.0", "15.6.1", "14.7.6", "13.6.9", "26.0.0"),
}  # fmt: skip

# --- families --------------------------------------------------------------------------------------------------------

_WINDOWS = "Mozilla/5.0 (Windows NT {windows}) {blink} Chrome/{chrome}.0.0.0 Safari/537.36"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {blink} Chrome/{chrome}.0.0.0 Safari/537.36"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64) {blink} Chrome/{chrome}.0.0.0 Safari/537.36"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) {blink} Chrome/{chrome}.0.0.0 Mobile Safari/537.36"
_WEBVIEW = "Mozilla/5.0 (Linux; {phone_build}; wv) {blink} Version/4.0 Chrome/{chromium} Mobile Safari/537.36"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {safari_ios}"
_IPHONE_APP = "Mozilla/5.0 (iPhone; CPU iPhone OS {ios} like Mac OS X) {webkit}"
_IPAD = "Mozilla/5.0 (iPad; CPU OS {safari_ios}"


def _desktop(agent: str, brand: str | None = None, version: str = "chrome", system: str = "Windows") -> Family:
    return Family(agent, brand=brand, version=version, system=system)


def _phone(agent: str, brand: str | None = None, version: str = "chrome") -> Family:
    return Family(agent, moves=True, brand=brand, version=version, system="Android")


_FAMILIES: tuple[tuple[float, Family], ...] = (
    (22, _desktop(_WINDOWS, "Google Chrome")),
    (8, _desktop(_MAC, "Google Chrome", system="macOS")),
    (1.5, _desktop(_LINUX, "Google Chrome", system="Linux")),
    (1, _desktop("Mozilla/5.0 (X11; CrOS x86_64 {cros}) {blink} Chrome/{chrome}.0.0.0 Safari/537.36", "Google Chrome", system="Chrome OS")),
    (7, _desktop(_WINDOWS + " Edg/{chrome}.0.0.0", "Microsoft Edge")),
    (1, _desktop(_MAC + " Edg/{chrome}.0.0.0", "Microsoft Edge", system="macOS")),
    (1, _desktop(_WINDOWS, "Brave")),  # its User-Agent is Chrome's
    (1, _desktop(_WINDOWS + " OPR/{opera}.0.0.0", "Opera", "opera")),
    (0.3, _desktop(_WINDOWS + " YaBrowser/25.{minor}.0.0", "YaBrowser")),
    (0.3, _desktop(_WINDOWS + " Vivaldi/7.{minor}.3735.{patch}", "Vivaldi")),
    (6, _desktop("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {webkit} Version/{safari_mac} Safari/605.1.15")),
    (3, _desktop("Mozilla/5.0 (Windows NT {windows}; rv:{firefox}) Gecko/20100101 Firefox/{firefox}")),
    (1, _desktop("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{firefox}) Gecko/20100101 Firefox/{firefox}")),
    (1.5, _desktop("Mozilla/5.0 ({linux}; rv:{firefox}) Gecko/20100101 Firefox/{firefox}")),
    (0.3, _desktop("Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.{minor}) {blink} 85.0.4183.93/6.{minor} TV Safari/537.36")),
    (0.2, _desktop("Mozilla/5.0 (Web0S; Linux/SmartTV) {blink} Chrome/{chromium} Safari/537.36 WebAppManager")),
    (0.1, _desktop("Mozilla/5.0 (PlayStation; PlayStation 5/9.{minor}0) {webkit} Version/16.4 Safari/605.1.15")),
    (15, _phone(_IPHONE + " Mobile/15E148 Safari/604.1")),
    (14, _phone(_ANDROID, "Google Chrome")),
    (3, _phone("Mozilla/5.0 (Linux; Android 10; K) {blink} SamsungBrowser/{samsung} Chrome/{chrome}.0.0.0 Mobile Safari/537.36", "Samsung Internet", "samsung")),
    (1, _phone("Mozilla/5.0 (Linux; Android {android_version}; {phone}) {blink} Chrome/{chromium} Mobile Safari/537.36")),  # not yet reduced
    (0.5, _phone("Mozilla/5.0 (Linux; Android {android_version}; SAMSUNG {phone}) {blink} SamsungBrowser/19.0 Chrome/102.0.5005.125 Mobile Safari/537.36")),
    (0.7, _phone("Mozilla/5.0 (Android {android_version}; Mobile; rv:{firefox}) Gecko/{firefox} Firefox/{firefox}")),
    (0.7, _phone(_ANDROID + " OPR/{opera}.0.0.0", "Opera", "opera")),
    (0.5, _phone(_ANDROID + " EdgA/{edge}.0.0.0", "Microsoft Edge", "edge")),
    (0.4, _phone("Mozilla/5.0 (Linux; U; {phone_build}) {blink} Version/4.0 Chrome/{chromium} Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.{minor}.1-gn")),
    (0.3, _phone("Mozilla/5.0 (Linux; Android {android_version}; {phone}) {blink} Chrome/{chromium} Mobile Safari/537.36 HuaweiBrowser/16.0.{minor}.301")),
    (0.3, _phone("Mozilla/5.0 (Linux; Android 11; {fire}) {blink} Silk/{chromium} like Chrome/{chromium} Safari/537.36")),
    (0.8, _phone("Mozilla/5.0 (Linux; Android {android_version}; {tablet}) {blink} Chrome/{chromium} Safari/537.36")),
    (2, _phone(_IPAD + " Mobile/15E148 Safari/604.1")),
    (2, _phone(_IPHONE_APP + " CriOS/{chromium} Mobile/15E148 Safari/604.1")),
    (0.4, _phone(_IPHONE_APP + " FxiOS/{firefox} Mobile/15E148 Safari/605.1.15")),
    (0.3, _phone(_IPHONE + " EdgiOS/{chromium} Mobile/15E148 Safari/604.1")),
    (0.8, _phone(_IPHONE_APP + " GSA/378.{minor}.{build} Mobile/{mobile} Safari/604.1")),
    (0.4, _phone(_IPHONE + " Mobile/15E148 DuckDuckGo/7 Safari/605.1.15")),
    (1.6, _phone(_IPHONE_APP + " Mobile/{mobile} Instagram {instagram}.0.{minor}.30.74 ({iphone}; iOS {ios}; {tongue}; {tongue}; scale=3.00; {screen}; {build})")),
    (1, _phone(_WEBVIEW + " Instagram {instagram}.0.{minor}.30.74 Android (34/14; 480dpi; {screen_android}; samsung; {phone}; qcom; {tongue}; {build})")),
    (1.4, _phone("Mozilla/5.0 (iPhone; CPU iPhone OS {ios_facebook};FBSS/3;FBID/phone;FBLC/{tongue};FBOP/5]")),
    (1.4, _phone(_WEBVIEW + " [FB_IAB/FB4A;FBAV/{facebook}.0.0.{minor}.109;]")),
    (0.8, _phone(_IPHONE_APP + " Mobile/{mobile} musical_ly_2024{minor}05030 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/de Region/DE")),
    (0.5, _phone(_WEBVIEW + " trill_38{minor}407 JsSdk/1.0 NetType/4G Channel/googleplay AppName/musical_ly app_version/38.{minor}.4")),
    (0.4, _phone(_IPHONE_APP + " Mobile/{mobile} Snapchat/13.{minor}.0.{patch} (like Safari/8620.1.16.10.11, panda)")),
    (0.4, _phone(_IPHONE_APP + " Mobile/{mobile} [Pinterest/iOS]")),
    (0.3, _phone(_IPHONE_APP + " Mobile/{mobile} [LinkedInApp]/9.30.{patch}")),
    (0.3, _phone(_IPHONE_APP + " Mobile/{mobile} Safari Line/15.{minor}.0")),
    (0.2, _phone(_WEBVIEW + " MicroMessenger/8.0.{patch}.2580(0x28003a{minor}) WeChat/arm64 Weixin NetType/WIFI Language/en ABI/arm64")),
    (7, Family("Shop/{app} CFNetwork/{darwin}", "ios", moves=True)),
    (6, Family("Dalvik/2.1.0 (Linux; U; {phone_build})", "android", moves=True)),
    (0.5, Family("Dalvik/2.1.0 (Linux; U; {tablet_build})", "android", moves=True)),
)  # fmt: skip
_ROBOT_SHARE = 0.05
_FAMILY = Weighted(_FAMILIES)
_APP = Weighted((weight, family) for weight, family in _FAMILIES if family.platform != "web")


def device(random: Random) -> Device:
    """A visitor's device, or with a small chance a robot."""
    if random.random() < _ROBOT_SHARE:
        return robot(random)
    return _of_family(random, _FAMILY.pick(random))


def robot(random: Random) -> Device:
    """One of those that are met often."""
    found = ROBOTS.pick(random)
    agent = found.agent.format_map(Words(RULES, random))
    return Device(agent, {}, traffic=found.traffic, robot=found.name)


def app(random: Random) -> Device:
    """A device with one of the shop's own apps."""
    return _of_family(random, _APP.pick(random))


def _of_family(random: Random, family: Family) -> Device:
    said = Words(RULES, random)
    agent = family.agent.format_map(said)
    return Device(agent, _hints(random, family, said), family.platform, family.moves)


# --- client hints ----------------------------------------------------------------------------------------------------
# Three are sent to every site, the others to one that asks for them: wicg.github.io/ua-client-hints

_ASKED = 0.3
_SYSTEM_VERSIONS: dict[str, str] = {
    "Windows": "{nt}",
    "macOS": "{mac}",
    "Android": "{android_version}.0.0",
    "Linux": "6.8.0",
    "Chrome OS": "{cros}",
}


def _hints(random: Random, family: Family, said: Words) -> Headers:
    if family.brand is None:
        return {}
    hints = {
        "sec-ch-ua": f'"{family.brand}";v="{said[family.version]}", "Chromium";v="{said["chrome"]}", "Not?A_Brand";v="8"',
        "sec-ch-ua-mobile": "?1" if family.moves else "?0",
        "sec-ch-ua-platform": f'"{family.system}"',
    }
    if random.random() < _ASKED:
        version = _SYSTEM_VERSIONS[family.system].format_map(said)
        hints["sec-ch-ua-platform-version"] = f'"{version}"'
        if family.system == "Android":
            hints["sec-ch-ua-model"] = f'"{said["phone"]}"'
    return hints
