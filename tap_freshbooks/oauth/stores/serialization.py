"""The stored form of a token pair: the same keys in a file, in a table and in a rescue file."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from tap_freshbooks.oauth.owner import Owner
from tap_freshbooks.oauth.stores.encryption import Encryption
from tap_freshbooks.oauth.tokens import PendingRefresh, Rejection, TokenPair, usable_access_token

if TYPE_CHECKING:
    from collections.abc import Mapping


def encode(pair: TokenPair, encryption: Encryption) -> dict[str, Any]:
    """The stored form of a pair; None stands for a key that is not needed.

    All moments are epoch seconds, all `token` inside the notes are hashes.
    """
    return {
        "refresh_token": encryption.encrypt(pair.refresh_token),
        "access_token": encryption.encrypt(pair.access_token) if pair.access_token else None,
        "expires_at": int(pair.expires_at),
        "token_generation": pair.generation,
        "token_client": pair.client,
        "token_seed": pair.seed,
        "token_seeds_replaced": list(pair.superseded_seeds) or None,
        "token_refreshed_at": pair.refreshed_at,
        "token_spending": asdict(pair.pending) if pair.pending else None,
        "token_rejections": [asdict(each) for each in pair.rejections] or None,
        "token_owner": asdict(pair.owner) if pair.owner else None,
        "token_held_back": [_without_gaps(encode(each, encryption)) for each in pair.held_back]
        or None,
    }


def _without_gaps(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}


KEYS = tuple(encode(TokenPair(""), Encryption()))
"""The keys that the tap owns in a store."""


def decode(row: Mapping[str, Any], encryption: Encryption, place: str) -> TokenPair | None:
    """The pair of a stored form, None if it holds no refresh token.

    Any other value that was damaged by hand is left out: only the refresh token is precious.

    Args:
        row: The stored form.
        encryption: The keys that may decrypt it.
        place: Where it is stored, for messages.

    Raises:
        SettingsError: If no key fits.
    """
    stored = row.get("refresh_token")
    if not isinstance(stored, str) or not stored.strip():
        return None
    refresh_token = encryption.decrypt(stored.strip(), place)  # pasted with its line end, say
    access_token = row.get("access_token")
    return TokenPair(
        refresh_token,
        access_token=usable_access_token(encryption.decrypt(access_token.strip(), place))
        if isinstance(access_token, str)
        else None,
        expires_at=_number(row.get("expires_at")) or 0.0,
        generation=int(_number(row.get("token_generation")) or 0),
        client=_converted(row.get("token_client"), str, None),
        seed=_converted(row.get("token_seed"), str, None),
        superseded_seeds=_converted(row.get("token_seeds_replaced"), tuple[str, ...], ()),
        refreshed_at=_number(row.get("token_refreshed_at")),
        pending=_converted(row.get("token_spending"), PendingRefresh, None),
        rejections=_converted(row.get("token_rejections"), tuple[Rejection, ...], ()),
        owner=_converted(row.get("token_owner"), Owner, None),
        held_back=decode_held_back(row.get("token_held_back"), encryption, place),
    )


def decode_held_back(rows: Any, encryption: Encryption, place: str) -> tuple[TokenPair, ...]:
    """The pairs of a stored list of pairs; the rest as `decode`."""
    listed = rows if isinstance(rows, list) else []
    pairs = (decode(row, encryption, place) for row in listed if isinstance(row, dict))
    return tuple(pair for pair in pairs if pair)


def _converted(stored: Any, kind: Any, missing: Any) -> Any:
    try:
        return msgspec.convert(stored, kind) if stored else missing
    except msgspec.ValidationError:  # edited by hand
        return missing


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else None  # noqa: PLR2004
