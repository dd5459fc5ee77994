"""What is added to an event: one small pure function in its own file each, with its rule table beside it.

A new one is one file and one line here; context.py says what an enrichment is.
"""

from clicklake.transform.enrich.campaign import campaign
from clicklake.transform.enrich.channel import channel
from clicklake.transform.enrich.context import Enrichment, Group
from clicklake.transform.enrich.device import device
from clicklake.transform.enrich.geo import geo
from clicklake.transform.enrich.identity import user, visitor
from clicklake.transform.enrich.locale import locale
from clicklake.transform.enrich.network import network
from clicklake.transform.enrich.page_title import page_title
from clicklake.transform.enrich.referrer import referrer_class
from clicklake.transform.enrich.time import time
from clicklake.transform.enrich.traffic import traffic
from clicklake.transform.enrich.url import page, referrer

VISITOR = Group((user, visitor, network, geo, locale, device, traffic))
PAGE = Group((page, campaign))

# In this order: visitor reads what time makes, channel what the four before it make.
STEPS: tuple[Enrichment | Group, ...] = (time, VISITOR, PAGE, page_title, referrer, referrer_class, channel)
