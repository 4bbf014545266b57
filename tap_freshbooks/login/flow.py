"""The steps of a login, whoever takes them: a prompt or a page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tap_freshbooks.errors import TapError
from tap_freshbooks.login.account import Account
from tap_freshbooks.login.business_selection import Choice
from tap_freshbooks.login.next_steps import Step, next_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_freshbooks.login.authorization_request import Consent
    from tap_freshbooks.tap import TapFreshBooks


class Login:
    """One login: from the code of a consent to a configuration that reads what was chosen.

    Args:
        tap: With the settings to connect, and the catalog to connect it for.
        consent: What the user is asked.
        places: The values of `--config`.
        catalog: The value of `--catalog`.

    Attributes:
        account: Who has agreed, once that is known.
    """

    def __init__(
        self, tap: TapFreshBooks, consent: Consent, places: Sequence[str], catalog: str | None
    ) -> None:
        self.consent = consent
        self.choice = Choice.of(tap.connection, places)
        self.account: Account | None = None
        self._tap = tap
        self._places = places
        self._catalog = catalog

    @property
    def url(self) -> str:
        """Where the user is asked."""
        return self.consent.url(self._tap.connection.auth_url)

    @property
    def store(self) -> str:
        """What messages call the place of the tokens."""
        return str(self._tap.connection.store)

    def connect(self, code: str) -> Account:
        """Trade the code for tokens, store them, and ask who that is.

        Raises:
            TapError: If the code is worth nothing, or the tokens cannot be kept.
        """
        connection, consent = self._tap.connection, self.consent
        granted = connection.connect(code, consent.verifier)
        try:
            self.account = Account.of(self._tap, granted or frozenset(consent.scopes))
        except TapError as error:
            raise TapError(f"the tokens are stored in {self.store}, but {error}") from None
        return self.account

    def choose(self, business_ids: Collection[int]) -> list[Step]:
        """Keep the choice of businesses.

        Raises:
            ChoiceNotKept: If the configuration file cannot be changed.
        """
        assert self.account is not None  # noqa: S101 - comes after `connect`
        return self.choice.keep(business_ids, self.account.usable)

    def next_steps(self) -> list[Step]:
        """The commands that read the account."""
        return next_steps(
            self._places,
            self._catalog,
            self.store,
            is_configured=bool(self._tap.config.get("token_store")),
            meltano=bool(os.environ.get("MELTANO_PROJECT_ROOT")),
        )
