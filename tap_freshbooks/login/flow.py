"""The steps of a login, which a prompt or a page takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tap_freshbooks.errors import TapError
from tap_freshbooks.login.account import Account
from tap_freshbooks.login.business_selection import BusinessSelection
from tap_freshbooks.login.next_steps import Step, next_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tap_freshbooks.login.authorization_request import AuthorizationRequest
    from tap_freshbooks.tap import TapFreshBooks


class LoginFlow:
    """One login: from an authorization code to tokens, and to businesses that are selected.

    Args:
        tap: With the settings of the app, and the catalog whose streams are to be read.
        request: The request that the user answers.
        sources: The values of `--config`.
        catalog: The value of `--catalog`.
        is_replacing: Whether the user may be another than the one who was connected before.

    Attributes:
        account: The account, once it is connected.
    """

    def __init__(
        self,
        tap: TapFreshBooks,
        request: AuthorizationRequest,
        sources: Sequence[str],
        catalog: str | None,
        *,
        is_replacing: bool = False,
    ) -> None:
        self.request = request
        self.selection = BusinessSelection.from_config(tap.connection, sources)
        self.account: Account | None = None
        self._tap = tap
        self._sources = sources
        self._catalog = catalog
        self._is_replacing = is_replacing

    @property
    def url(self) -> str:
        """The page where the user agrees."""
        return self.request.url(self._tap.connection.auth_url)

    @property
    def store(self) -> str:
        """The token store, as messages call it."""
        return str(self._tap.connection.store)

    def connect(self, code: str) -> Account:
        """Exchange the code for tokens, store them, and ask whose they are.

        Raises:
            TapError: If the code is invalid, or the tokens cannot be stored.
        """
        connection, request = self._tap.connection, self.request
        verifier = request.code_verifier
        granted = connection.connect(code, verifier, is_replacing=self._is_replacing)
        try:
            self.account = Account.fetch(self._tap, granted or frozenset(request.scopes))
        except TapError as error:
            raise TapError(f"the tokens are stored in {self.store}, but {error}") from None
        return self.account

    def select_businesses(self, business_ids: Collection[int]) -> list[Step]:
        """Save the selection of businesses.

        Raises:
            SelectionNotSavedError: If the configuration file cannot be changed.
        """
        assert self.account is not None  # noqa: S101 - comes after `connect`
        return self.selection.save(business_ids, self.account.usable)

    def next_steps(self) -> list[Step]:
        """The commands that read the account."""
        return next_steps(
            self._sources,
            self._catalog,
            self.store,
            is_configured=bool(self._tap.config.get("token_store")),
            meltano=bool(os.environ.get("MELTANO_PROJECT_ROOT")),
        )
