"""The pages that the browser shows after the redirect. No I/O: texts in, markup out."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tap_freshbooks.login.markup import Html, join, tag

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tap_freshbooks.businesses import Business
    from tap_freshbooks.login.account import Account, MissingScopes
    from tap_freshbooks.login.next_steps import Step

STYLE = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #4a5766; --paper: #fff; --line: #c9d1da;
  --mark: #0b57a4; --shade: #f2f5f8; --bad: #a4150b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf2; --soft: #b3bfcc; --paper: #15191f;
  --line: #3d4854; --mark: #8ec2ff; --shade: #1f252d; --bad: #ff9d94; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 44rem; padding: 2rem 1.25rem 3rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; }
h2 { font-size: 1.125rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1.5rem 0 1rem;
  padding: .5rem 1rem .75rem; }
legend { font-weight: 600; padding: 0 .375rem; }
label { display: flex; gap: .75rem; align-items: baseline; padding: .375rem 0; }
input { width: 1.125rem; height: 1.125rem; flex: none; accent-color: var(--mark);
  transform: translateY(.15rem); }
small { display: block; }
.soft { color: var(--soft); font-size: .9375rem; }
.problem { border-left: .25rem solid var(--bad); padding-left: .75rem; }
button { font: inherit; font-weight: 600; padding: .5rem 1.25rem; border: 0; border-radius: .375rem;
  color: var(--paper); background: var(--mark); cursor: pointer; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 3px; }
summary { cursor: pointer; }
code { font: .9375rem ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--shade); border-radius: .375rem; padding: .625rem .875rem; margin: .5rem 0;
  white-space: pre-wrap; }
"""

STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""The hash of the style, for the content security policy."""


def selection_page(account: Account, ticked: Collection[int], *, problem: str | None = None) -> str:
    """The form to select businesses, and what the token may read.

    Args:
        account: The account that was connected.
        ticked: The businesses that are ticked at first.
        problem: The error in the form that was sent.
    """
    return _document(
        "Your FreshBooks account is connected",
        tag("p", "Connected as ", tag("strong", account.user), "."),
        tag("p", problem, class_="problem", role="alert") if problem else Html(),
        _form(account, ticked),
        tag("h2", "What the token may read"),
        _readable(account.readable),
        *_not_readable("It may not read", account.refused),
        *_not_readable("Not selected, and so not asked for:", account.unselected),
        tag(
            "p",
            "Your role and your plan in FreshBooks may allow less; ",
            tag("code", "tap-freshbooks status"),
            " tries each stream.",
            class_="soft",
        ),
    )


def finished_page(steps: Iterable[Step]) -> str:
    """The last page: what was done, and what to do next."""
    return _document(
        "Done",
        *(_step(step) for step in steps),
        tag("p", "You can close this window.", class_="soft"),
    )


def failure_page(sentence: str, *, final: bool) -> str:
    """The page of an error.

    Args:
        sentence: As the terminal shows it.
        final: True if the command ends with it.
    """
    after = (
        "The command in your terminal has ended; you can close this window."
        if final
        else "The command in your terminal still waits for the answer to its own question."
    )
    return _document(
        "That did not work",
        tag("p", _capitalised(sentence), ".", class_="problem", role="alert"),
        tag("p", after, class_="soft"),
    )


def _document(title: str, *content: str) -> str:
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{title} · tap-freshbooks"),
        tag("style", Html(STYLE)),
    )
    body = tag("body", tag("main", tag("h1", title), *content))
    return join(Html("<!doctype html>\n"), tag("html", head, body, lang="en"))


def _form(account: Account, ticked: Collection[int]) -> Html:
    return tag(
        "form",
        tag(
            "fieldset",
            tag("legend", "Businesses to read"),
            *(_business(business, ticked) for business in account.businesses),
            tag(
                "p",
                "With all of them ticked, businesses that come later are read too."
                if account.usable
                else "There is none that can be read.",
                class_="soft",
            ),
        ),
        tag("button", "Save and finish", type="submit"),
        method="post",
    )


def _business(business: Business, ticked: Collection[int]) -> Html:
    number = str(business.business_id)
    note = f"business {number} · {business.role or 'no role'}"
    if business.is_client_only:
        note += " · you are a client of it, so its books belong to another user"
    box = tag(
        "input",
        type="checkbox",
        name="business",
        value=number,
        checked=business.business_id in ticked and not business.is_client_only,
        disabled=business.is_client_only,
    )
    text = tag("span", business.name, " ", tag("small", note, class_="soft"))
    return tag("label", box, text)


def _readable(names: Collection[str]) -> Html:
    if not names:
        return tag("p", "None of the selected streams.")
    summary = tag("summary", _streams(len(names)))
    return tag("details", summary, tag("p", ", ".join(names), class_="soft"))


def _not_readable(what: str, streams: MissingScopes) -> Iterable[Html]:
    for scopes, names in streams.items():
        summary = tag("summary", what, f" {_streams(len(names))} (", _codes(scopes), ")")
        yield tag("details", summary, tag("p", ", ".join(names), class_="soft"))


def _codes(scopes: Iterable[str]) -> Html:
    return join(
        *(join(Html(" and ") if at else "", tag("code", each)) for at, each in enumerate(scopes))
    )


def _step(step: Step) -> Html:
    command = tag("pre", tag("code", step.command)) if step.command else Html()
    return join(tag("p", step.text), command)


def _streams(count: int) -> str:
    return "1 stream" if count == 1 else f"{count} streams"


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
