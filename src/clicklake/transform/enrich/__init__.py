"""The steps that add columns: one small pure function in its own file each, with its rule table beside it.

A step is `step(fields, values, context) -> values`: what the sender sent, the columns that earlier steps made, and what
is the same for the whole object; it returns the columns it adds (absent is NULL). It never raises for any event and
keeps no state but memory of what it has answered before. A new one is one file and one line here.
"""

from collections.abc import Callable

from clicklake.transform.enrich.campaign import campaign
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.identity import identity
from clicklake.transform.enrich.network import network
from clicklake.transform.enrich.time import time
from clicklake.transform.enrich.url import url
from clicklake.transform.event import Fields, Values

Step = Callable[[Fields, Values, Context], Values]

# In this order: identity reads time's event_date, campaign reads url's page_url.
STEPS: tuple[Step, ...] = (time, identity, url, campaign, network)
