"""The pictures on cards: which of them are damaged."""

import asyncio
from collections.abc import Iterable
from typing import Any

from archiver.browse.data.cards import Card
from archiver.browse.disk import media
from archiver.browse.library import Library


async def damaged_leads(datasette: Any, here: Library, cards: Iterable[Card]) -> frozenset[str]:
    """Digits of the cards' pictures whose bytes are not as archived."""
    leads = {card.lead for card in cards if card.lead}
    places = await datasette.get_database(here.database).execute_fn(
        lambda db: {lead: media.locations(db, f"sha256:{lead}") for lead in leads}
    )
    return await asyncio.to_thread(media.damaged_pictures, here.root, places)
