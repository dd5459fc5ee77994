"""What the imaginary shop shows: some thousand products, pages and searches, in the visitor's language.

The words are in a table of languages; products are every series of every kind, the first the most wanted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from clicklake.simulator.chance import Rule, Weighted, falling, words


@dataclass(frozen=True, slots=True)
class Page:
    """A title may not be in the page's language: the shop's names are English everywhere."""

    path: str
    title: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """`price` is in US dollars. `kind` numbers a language's `kinds`."""

    sku: str
    name: str
    kind: int
    price: float

    @property
    def category(self) -> str:
        return _KINDS[self.kind][0]


# path, code, price, what it is called
_KINDS: tuple[tuple[str, str, float, str], ...] = (
    ("shoes", "SH", 119, "Runner"),
    ("boots", "BT", 179, "Boot"),
    ("jackets", "JK", 159, "Jacket"),
    ("down", "DN", 249, "Parka"),
    ("trousers", "TR", 89, "Trousers"),
    ("shirts", "ST", 45, "Tee"),
    ("backpacks", "BP", 99, "Pack"),
    ("tents", "TN", 349, "Tent"),
    ("sleeping-bags", "SB", 219, "Bag"),
    ("lamps", "LM", 39, "Torch"),
    ("socks", "SK", 15, "Socks"),
    ("bottles", "BO", 24, "Bottle"),
)
_SERIES = (
    "Trail", "Storm", "Summit", "Ridge", "Fjord", "Alto", "Glacier", "Canyon", "Moss", "Tundra", "Lynx", "Kestrel",
    "Drift", "Ember", "Birch", "Cirrus", "Delta", "Flint", "Gale", "Heath", "Isar", "Juniper", "Koru", "Larch",
    "Mistral", "Nordkapp", "Onyx", "Pike", "Quartz", "Rapid", "Slate", "Tarn", "Umber", "Vale", "Willow", "Zephyr",
)  # fmt: skip
_MODELS = ("", " Pro")

_PRODUCTS = Weighted(
    (
        1 / (3 + model * 30 + series * 3 + kind),
        Product(f"{code}-{series:02}{model}", f"{name} {what}{suffix}", kind, cost),
    )
    for model, suffix in enumerate(_MODELS)
    for series, name in enumerate(_SERIES)
    for kind, (_, code, price, what) in enumerate(_KINDS)
    for cost in [round(price * (0.8 + series / 60) + 20 * model, 2)]
)  # fmt: skip
_COLOURS = falling(("black", "olive", "navy", "rust", "sand"), 0.6)
_SORTS = words("price", "-price", "newest", "rating")
_JOURNAL = Weighted(
    (1 / (3 + number), f"{what}-{place}")
    for number, (what, place) in enumerate(
        (w, p)
        for w in ("layering-for", "a-weekend-in", "how-we-test-for", "what-to-pack-for", "five-days-in")
        for p in ("cold-days", "the-alps", "rain", "the-highlands", "winter", "the-tatras", "huts", "the-coast")
    )
)


@dataclass(frozen=True, slots=True)
class Language:
    """The shop's words; `suffix` ends every title."""

    suffix: str
    home: str
    search: str
    checkout: str
    thanks: str
    help: str
    kinds: tuple[str, ...]
    wishes: tuple[str, ...]


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


ENGLISH = Language(
    "Shop", "Made for outside", "Search", "Checkout", "Thank you for your order", "Shipping and returns",
    _kinds(
        "Running shoes, Hiking boots, Rain jackets, Down jackets, Trousers, T-shirts, "
        "Backpacks, Tents, Sleeping bags, Headlamps, Socks, Bottles"
    ),
    ("waterproof", "size 42", "wool", "kids", "sale", "ultralight", "black"),
)  # fmt: skip
GERMAN = Language(
    "Shop für draußen", "Für draußen gemacht", "Suche",
    "Zur Kasse – Prüfen", "Vielen Dank für die Bestellung", "Versand und Rückgabe",
    _kinds(
        "Laufschuhe, Wanderstiefel, Regenjacken, Daunenjacken, Hosen, T-Shirts, "
        "Rucksäcke, Zelte, Schlafsäcke, Stirnlampen, Socken, Flaschen"
    ),
    ("wasserdicht", "größe 42", "wolle", "für kinder", "schwarz", "leicht"),
)  # fmt: skip
FRENCH = Language(
    "Équipé pour dehors", "Conçu pour l’extérieur", "Recherche",
    "Paiement sécurisé", "Merci de votre commande", "Livraison et retours",
    _kinds(
        "Chaussures de trail, Bottes, Vestes imperméables, Doudounes, Pantalons, T-shirts, "
        "Sacs à dos, Tentes, Sacs de couchage, Lampes, Chaussettes, Gourdes"
    ),
    ("imperméable", "taille 42", "laine", "légère", "enfant", "randonnée"),
)  # fmt: skip
SPANISH = Language(
    "Montaña y aventura", "Hecho para la montaña", "Búsqueda",
    "Pago", "Gracias por tu pedido", "Envíos y devoluciones",
    _kinds(
        "Zapatillas, Botas, Chaquetas impermeables, Plumíferos, Pantalones, Camisetas, "
        "Mochilas, Tiendas, Sacos, Linternas, Calcetines, Botellas"
    ),
    ("impermeable", "talla 42", "lana", "niño", "ligero", "montaña"),
)  # fmt: skip
PORTUGUESE = Language(
    "Para a trilha e a estação", "Feito para lá fora", "Busca",
    "Finalizar compra", "Obrigado pelo seu pedido", "Envio e devoluções",
    _kinds(
        "Tênis, Botas, Jaquetas, Jaquetas de pluma, Calças, Camisetas, "
        "Mochilas, Barracas, Sacos de dormir, Lanternas, Meias, Garrafas"
    ),
    ("impermeável", "tamanho 42", "lã", "criança", "promoção"),
)  # fmt: skip
POLISH = Language(
    "Sklep dla wędrowców", "Na każdą pogodę", "Szukaj", "Płatność", "Dziękujemy za zamówienie", "Wysyłka i zwroty",
    _kinds(
        "Buty do biegania, Buty trekkingowe, Kurtki, Kurtki puchowe, Spodnie, Koszulki, "
        "Plecaki, Namioty, Śpiwory, Czołówki, Skarpety, Butelki"
    ),
    ("nieprzemakalna", "rozmiar 42", "wełna", "dziecięce", "czarny"),
)  # fmt: skip
ITALIAN = Language(
    "Più all’aperto", "Fatto per l’aria aperta", "Cerca", "Cassa", "Grazie per il tuo ordine", "Spedizioni e resi",
    _kinds(
        "Scarpe, Scarponi, Giacche, Piumini, Pantaloni, Magliette, "
        "Zaini, Tende, Sacchi a pelo, Lampade, Calze, Borracce"
    ),
    ("impermeabile", "taglia 42", "lana", "qualità", "bambino"),
)  # fmt: skip
JAPANESE = Language(
    "アウトドアショップ", "外で過ごすために", "検索", "ご購入手続き", "ご注文ありがとうございます", "配送と返品",
    _kinds(
        "ランニングシューズ, 登山靴, レインジャケット, ダウン, パンツ, シャツ, "
        "リュック, テント, 寝袋, ヘッドランプ, 靴下, ボトル"
    ),
    ("防水", "軽量", "ウール", "メンズ", "黒"),
)  # fmt: skip
KOREAN = Language(
    "아웃도어 숍", "밖을 위해", "검색", "결제", "주문해 주셔서 감사합니다", "배송 및 반품",
    _kinds("러닝화, 등산화, 레인 재킷, 다운 재킷, 바지, 티셔츠, 배낭, 텐트, 침낭, 헤드램프, 양말, 물병"),
    ("방수", "경량", "울", "남성", "검정"),
)  # fmt: skip


def product(random: Random) -> Product:
    return _PRODUCTS.pick(random)


def product_page(random: Random, language: Language, product: Product) -> Page:
    """One visit in four picks a colour."""
    path = f"/{product.category}/{product.name.lower().replace(' ', '-')}"
    query = f"?color={_COLOURS(random)}" if random.random() < 0.25 else ""
    return Page(path, f"{product.name}: {language.kinds[product.kind]} | {language.suffix}", query)


def search_page(random: Random, language: Language) -> tuple[Page, str]:
    """The page, and what was searched for: a kind of thing, and often how it should be."""
    wanted = f"{random.choice(language.kinds).lower()} {random.choice(language.wishes)}"
    asked = wanted if random.random() < 0.7 else wanted.partition(" ")[0]
    return Page("/search", f"{language.search}: {asked} | {language.suffix}", f"?q={quote(asked)}"), asked


def checkout_page(language: Language) -> Page:
    return Page("/checkout", f"{language.checkout} | {language.suffix}")


def thanks_page(language: Language) -> Page:
    return Page("/checkout/thank-you", f"{language.thanks} | {language.suffix}")


def other_page(random: Random, language: Language) -> Page:
    """Any page that is neither a product's nor a step of buying."""
    return _OTHERS.pick(random)(random, language)


def _home(_: Random, language: Language) -> Page:
    return Page("/", f"{language.home} | {language.suffix}")


def _category(random: Random, language: Language) -> Page:
    kind = random.randrange(len(_KINDS))
    page = int(random.random() * random.random() * 12) + 1
    query = f"?page={page}&sort={_SORTS(random)}" if page > 1 else ""
    return Page(f"/{_KINDS[kind][0]}", f"{language.kinds[kind]} | {language.suffix}", query)


def _journal(random: Random, language: Language) -> Page:
    name = _JOURNAL.pick(random)
    return Page(f"/journal/{name}", f"{name.replace('-', ' ').capitalize()} | {language.suffix}")


def _help(_: Random, language: Language) -> Page:
    return Page("/help/shipping", f"{language.help} | {language.suffix}")


_OTHERS: Weighted[Callable[[Random, Language], Page]] = Weighted(
    ((10, _home), (18, _category), (4, _journal), (1, _help))
)
TARGETS: Rule = falling(("menu", "hero_banner", "size_picker", "gallery", "reviews", "footer_link"), 0.8)
