"""What goes where: the table of Snowplow's parameters, and its codes. snowplow.py says where it is from."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "yes or no", "size", "platform", "address", "event", "entities", "code"]


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: the parameter. `name`: of the input event's field, or of Snowplow's canonical model; two for a size. Of
    several rows for one name the first that was sent has it; then another's name is `then`, or its own. `is_rare`: of
    old trackers, or hardly ever sent; an event that has it is read more slowly."""

    at: str
    name: str
    kind: Kind = "text"
    then: str = ""
    is_rare: bool = False


ROWS = (
    # Fields of the input event.
    Row("eid", "event_id"),
    Row("ttm", "event_time", is_rare=True),
    Row("dtm", "event_time", then="dvce_created_tstamp"),
    Row("stm", "sent_time"),
    Row("aid", "app_id"),
    Row("p", "platform", "platform"),
    Row("uid", "user_id"),
    Row("duid", "anonymous_id"),
    Row("sid", "session_id"),
    Row("url", "page_url"),
    Row("page", "page_title"),
    Row("refr", "referrer"),
    Row("ua", "user_agent"),
    Row("ip", "ip", "address"),
    Row("lang", "locale"),
    Row("se_va", "value", "number"),
    Row("ev_va", "value", "number", is_rare=True),
    Row("tr_tt", "value", "number", is_rare=True),
    Row("tr_cu", "currency", is_rare=True),
    Row("ti_cu", "currency", is_rare=True),
    # What the canonical model has besides.
    Row("tnuid", "network_userid", is_rare=True),
    Row("nuid", "network_userid"),
    Row("vid", "domain_sessionidx", "number"),
    Row("fp", "user_fingerprint"),
    Row("tid", "txn_id", "number", is_rare=True),
    Row("tna", "name_tracker"),
    Row("tv", "v_tracker"),
    Row("cv", "v_collector"),
    Row("tz", "os_timezone"),
    Row("cs", "doc_charset"),
    Row("cd", "br_colordepth"),
    Row("res", "dvce_screenwidth dvce_screenheight", "size"),
    Row("vp", "br_viewwidth br_viewheight", "size"),
    Row("ds", "doc_width doc_height", "size"),
    Row("cookie", "br_cookies", "yes or no"),
    Row("f_pdf", "br_features_pdf", "yes or no", is_rare=True),
    Row("f_fla", "br_features_flash", "yes or no", is_rare=True),
    Row("f_java", "br_features_java", "yes or no", is_rare=True),
    Row("f_dir", "br_features_director", "yes or no", is_rare=True),
    Row("f_qt", "br_features_quicktime", "yes or no", is_rare=True),
    Row("f_realp", "br_features_realplayer", "yes or no", is_rare=True),
    Row("f_wma", "br_features_windowsmedia", "yes or no", is_rare=True),
    Row("f_gears", "br_features_gears", "yes or no", is_rare=True),
    Row("f_ag", "br_features_silverlight", "yes or no", is_rare=True),
    Row("se_ca", "se_category"),
    Row("se_ac", "se_action"),
    Row("se_la", "se_label"),
    Row("se_pr", "se_property"),
    Row("ev_ca", "se_category", is_rare=True),
    Row("ev_ac", "se_action", is_rare=True),
    Row("ev_la", "se_label", is_rare=True),
    Row("ev_pr", "se_property", is_rare=True),
    Row("tr_id", "tr_orderid", is_rare=True),
    Row("tr_af", "tr_affiliation", is_rare=True),
    Row("tr_tx", "tr_tax", "number", is_rare=True),
    Row("tr_sh", "tr_shipping", "number", is_rare=True),
    Row("tr_ci", "tr_city", is_rare=True),
    Row("tr_st", "tr_state", is_rare=True),
    Row("tr_co", "tr_country", is_rare=True),
    Row("ti_id", "ti_orderid", is_rare=True),
    Row("ti_sk", "ti_sku", is_rare=True),
    Row("ti_nm", "ti_name", is_rare=True),
    Row("ti_na", "ti_name", is_rare=True),
    Row("ti_ca", "ti_category", is_rare=True),
    Row("ti_pr", "ti_price", "number", is_rare=True),
    Row("ti_qu", "ti_quantity", "number", is_rare=True),
    Row("pp_mix", "pp_xoffset_min", "number"),
    Row("pp_max", "pp_xoffset_max", "number"),
    Row("pp_miy", "pp_yoffset_min", "number"),
    Row("pp_may", "pp_yoffset_max", "number"),
    Row("ue_pr", "unstruct_event", "event"),
    Row("ue_px", "unstruct_event", "event"),
    Row("co", "contexts", "entities"),
    Row("cx", "contexts", "entities"),
    Row("e", "event_type", "code"),  # the last, for it may stand in the event
)
# Snowplow's column event_name, but for `ue`, whose schema has the name (Enrich: EventEnrichments.scala and
# SchemaEnrichment.scala); `ev` and `ad` are of old trackers.
EVENT_TYPES = {
    "pv": "page_view",
    "pp": "page_ping",
    "se": "event",
    "ev": "event",
    "tr": "transaction",
    "ti": "transaction_item",
    "ad": "ad_impression",
    "ue": "unstruct",
}
# Codes to the words of the input event; another code stays.
PLATFORMS = {"web": "web", "srv": "server", "mob": "mobile", "pc": "desktop", "cnsl": "console"}
TRACKERS = {"ios": "ios", "andr": "android"}  # how `tv` begins, of a mobile tracker
