"""The page's title, without the e-mail addresses that mailboxes and account pages put there."""

from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.redact import without_emails


def _page_title(_context: Context, title: str | None) -> tuple[str | None]:
    return (None if title is None else without_emails(title),)


page_title = Enrichment(reads=("page_title",), makes=("page_title",), make=_page_title)
