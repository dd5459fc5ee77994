"""What kind of device a user agent names: the rules of device.py, in the order in which they are asked.

The first that matches decides; if none does, the kind is unknown. The patterns are Rust regular expressions
(docs.rs/regex); case never matters, but inside `(?-i:...)`. Few models are named: a browser on Android says Mobile on a
phone and not on a tablet (developer.chrome.com/docs/multidevice/user-agent), most televisions say that they are one.
"""

from typing import Literal

DeviceType = Literal["desktop", "mobile", "tablet", "tv", "console", "wearable", "car", "other"]

RULES: tuple[tuple[DeviceType, str], ...] = (
    ("desktop", r"Chromebook|\(Mac OS/|CFNetwork/.*(?:\(i386\)|x86_64)|\bCrOS\b"),
    ("console", r"PlayStation|\bPS[PV345]\b|Xbox|Nintendo|Bunjalloo|\bOUYA\b|Steam ?Deck|Gamepad|SEGA|Dreamcast"),
    ("wearable", r"\bwatch ?OS\b|\bWatch\d,\d|Apple ?Watch|Galaxy Watch|\bSM-[RL]\d{3}|Wear ?OS|\bWatch\b|\bWear\b"),
    ("wearable", r"Oculus|\bQuest [23]\b|Glass \d"),
    ("car", r"\bTesla/|QtCarBrowser|Automotive|Android Auto\b|CarPad|CarPlay|(?:Quad|Octa|Octopus)-?_?Core[- ][TR]\d"),
    # Phones that leave Mobile out (folded open, or in an app), or are named like a pad or a television.
    ("mobile", r"\bSM-[AEFGJMNS]\d{3}|Coolpad|PadFone|Techpad|WPDesktop|DROIDZ|\bi(?:Phone|Ph\d)|Windows Phone"),
    # HbbTV (ETSI TS 102 796), CE-HTML (CEA-2014) and the makers' own words.
    ("tv", r"HbbTV|CE-HTML|Hybridcast|Smart[-_ ]?TV|SmartHub|(?:Google|Android|Apple|Philips|Opera) ?TV|\btvOS\b"),
    ("tv", r"Net(?:TV|Cast|Range|Box)|Web0S|webOS\.TV|Tizen[^()]*\bTV\b|BRAVIA|\bViera\b|\bAquos|\bRoku\b|TiVo|VIZIO"),
    (
        "tv",
        r"CrKey|Chromecast|\bAFT[A-Z][A-Z0-9]{0,6}\b|SHIELD Android|Mi ?TV|\bMaple\b|InettvBrowser|\bEspial\b|LaTivu",
    ),
    (
        "tv",
        r"Kodi/|XBMC|BrightSign|[ _;-]TV[ _;)-]|\bTV$|\bTV[ _-]?(?:BOX|Stick)|\bI?P?TV\d*\b[^()]*Build/|\bDTV|\bOTT\b",
    ),
    ("tv", r"set-?top|\bSTB|Linux mips|[ (,]wire(?:d|less)\)|\b(?:GW|MR)-Device|OMI/\d|\bATV\d|_VLC/"),
    ("tv", r"Android[^()]*(?:\w*BOX\b|(?-i:[a-zK]TV\b|\bShell\b))"),
    # A model that tells a screen's size in inches: "43U570T", "H-LED65BU7003".
    (
        "tv",
        r"Android \d[0-9.]*; (?:2[248]|32|39|4[0239]|5[058]|65|75)[A-Z][A-Z0-9]*[-_0-9]|\bLED\d\d|\b\w{1,5}-LED\d\d",
    ),
    ("other", r"\bAEO[A-Z]{2}\b|\bEcho/|HomePod|AudioAccessory|\bSonos\b|SmartSpeaker|Google[ -]Home"),
    ("other", r"COOLPIX|\bEK-G[CN]\d|Raspberry Pi|ODROID"),
    ("tablet", r"\biP(?:ad|d\d)|PlayBook|\bKindle\b|TouchPad|Windows NT [^()]*\bARM;|Tablet(?:;| ?[^ P0-9])|/apad\b"),
    ("tablet", r"\b(?:SM|GT|SCH|SHV|SHW|SGH)-?[TPX]\d{3,4}|\bGalaxy Tab|Nexus (?:7|9|10)\b|Pixel (?:C|Tablet)\b"),
    (
        "tablet",
        r"\bKF[A-Z]{2,4}\b|\bTB[-_ ]?[X\d]\w*|Pad(?:[ _;)\d/]|$)|\bTab[ _;)\d-]|\w_Tab_|\w+Tab\b|\bXoom\b|-W[01]9\b",
    ),
    ("mobile", r"iPod|IEMobile|BlackBerry|\bBB10\b|Opera Mini|Opera Mobi|KaiOS|Symbian|SymbOS|Series ?[46]0|MIDP|CLDC"),
    ("mobile", r"Profile/|UP\.Browser|J2ME|DoCoMo|webOS/|hpwOS|\bBada\b|MeeGo|Maemo|Windows CE|Palm|Nokia|MMP/|WAP"),
    ("mobile", r"Mobile\b|Mobile[SP]"),
    # Android 1 and 2 had phones only, 3 had tablets only; since then a tablet's browser does not say Mobile.
    ("mobile", r"Android [12]\.\d"),
    ("tablet", r"Android 3\.\d|Android.*AppleWebKit/.*Safari/|Android.*Gecko/"),
    ("mobile", r"Android"),
    (
        "desktop",
        r"Windows|Win(?:9[58]|NT|32|64)|Macintosh|Mac OS X|Mac_PowerPC|MacBook|iMac|X11|Linux|(?:Free|Open|Net)BSD",
    ),
    ("desktop", r"SunOS|AmigaOS|BeOS|Haiku|OS/2|OpenVMS|RISC OS"),
)
