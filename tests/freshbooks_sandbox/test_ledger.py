"""The ledger's newer service, the old chart, and what an account has one of."""

from __future__ import annotations

from typing import Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller

VERSION = {"x-api-version": "2023-09-25"}
LISTED = "manualJournalEntries"
"""The key of journal entries in an answer, unless a behaviour says otherwise."""


def ledger(caller: Caller, path: str, **headers: str) -> Any:
    url = f"{caller.url}/accounting/businesses/{caller.uuid}/{path}"
    return caller.session.get(url, headers=headers, timeout=30)


def test_the_types_belong_to_nobody_and_want_no_scope(sandbox: Sandbox) -> None:
    caller = Caller(sandbox, scopes=["user:clients:read"])
    types = caller.get("/accounting/ledger_accounts/types?page=2&per_page=1").json()
    assert types == {
        "data": [{"name": n} for n in ("asset", "equity", "expense", "income", "liability")]
    }
    rows = caller.get("/accounting/ledger_accounts/sub_types").json()["data"]
    assert [row["id"] for row in rows] == list(range(1, 11))
    assert rows[2] == {
        "id": 3,
        "type": "asset",
        "name": "Property, Plant, and Equipment",
        "base_number": "1500",
    }
    assert caller.get("/accounting/ledger_accounts/sub_types/3").json() == {"data": rows[2]}
    assert caller.get("/accounting/ledger_accounts/sub_types/11").status_code == 404
    caller.authorize("nonsense")
    assert caller.get("/accounting/ledger_accounts/types").status_code == 401


def test_the_chart_has_the_old_envelope_and_wants_two_scopes(sandbox: Sandbox) -> None:
    path = "reports/chart_of_accounts?start_date=2023-01-01&end_date=2026-12-31"
    caller = Caller(sandbox)
    result = ledger(caller, path).json()["response"]["result"]
    assert set(result) == {"journal_entry_accounts"}
    truth = sandbox.truth("chart_of_accounts")
    assert [row["balance"] for row in result["journal_entry_accounts"]] == [
        row["balance"] for row in truth
    ]
    for scopes in (["user:reports:read"], ["user:account:read"]):
        assert ledger(Caller(sandbox, scopes=scopes), path).status_code == 403
    both = Caller(sandbox, scopes=["user:reports:read", "user:account:read"])
    assert ledger(both, path).status_code == 200
    for wrong in ("reports/chart_of_accounts", "reports/accounting/chart_of_accounts"):
        answer = caller.get(f"/accounting/account/{caller.account}/{wrong}")
        assert answer.status_code == 404


def chart(caller: Caller, query: str) -> list[dict[str, Any]]:
    answer = ledger(caller, f"reports/chart_of_accounts?{query}")
    rows: list[dict[str, Any]] = answer.json()["response"]["result"]["journal_entry_accounts"]
    return rows


def test_the_chart_follows_its_parameters(caller: Caller) -> None:
    whole = "start_date=2023-01-01&end_date=2026-12-31"
    assert {row["account_type"] for row in chart(caller, f"{whole}&account_type=asset")} == {
        "asset"
    }
    rows = chart(caller, f"{whole}&currency_code=USD")
    assert {row["currency_code"] for row in rows} == {"USD"}
    assert {row["currency_code"] for row in chart(caller, whole)} == {None}
    subs = [sub for row in chart(caller, f"{whole}&state=active") for sub in row["sub_accounts"]]
    assert {sub["state"] for sub in subs} == {"active"}
    down = chart(caller, f"{whole}&sort=account_number_desc")
    assert [row["account_number"] for row in down] == sorted(
        (row["account_number"] for row in down), reverse=True
    )
    # Today alone, where no period is given.
    assert {row["balance"] for row in chart(caller, "")} == {"0.000"}
    assert {row["balance"] for row in chart(caller, "search[start_date]=2023-01-01")} == {"0.000"}


def test_journal_entries_want_a_version(caller: Caller) -> None:
    assert ledger(caller, "journal_entries").status_code == 400
    assert ledger(caller, "journal_entries", **{"x-api-version": "2023-02-20"}).status_code == 400
    rows = ledger(caller, "journal_entries", **VERSION).json()[LISTED]
    assert rows
    accounts = {row["uuid"] for row in caller.sandbox.truth("ledger_accounts")}
    for row in rows:
        assert set(row["userEnteredDate"]) == {"year", "month", "day"}
        sums = {"TYPE_DEBIT": 0.0, "TYPE_CREDIT": 0.0}
        for detail in row["details"]:
            assert detail["accountId"] in accounts
            assert isinstance(detail["amount"]["amount"], float)
            sums[detail["type"]] += detail["amount"]["amount"]
        assert sums["TYPE_DEBIT"] == pytest.approx(sums["TYPE_CREDIT"])


def test_journal_entries_are_paged_by_names_of_their_own(caller: Caller) -> None:
    everything = ledger(caller, "journal_entries?page_size=100", **VERSION).json()[LISTED]
    ignored = ledger(caller, "journal_entries?per_page=2&page=2", **VERSION).json()[LISTED]
    assert ignored == everything[: len(ignored)]
    assert len(ignored) > 2
    pages = [
        ledger(caller, f"journal_entries?page_number={n}&page_size=5", **VERSION).json()[LISTED]
        for n in range(1, len(everything) // 5 + 2)
    ]
    assert [row for page in pages for row in page] == everything
    past = ledger(caller, "journal_entries?page_number=99&page_size=5", **VERSION).json()
    assert past == {LISTED: []}


@pytest.mark.parametrize("envelope", ["data", "journalEntries", "list"])
def test_the_envelope_of_journal_entries_is_a_behaviour(envelope: str) -> None:
    with Sandbox(invoices=12, rate_limit=0, behaviours={"journal_envelope": envelope}) as running:
        body = ledger(Caller(running), "journal_entries", **VERSION).json()
        rows = body if envelope == "list" else body[envelope]
        assert len(rows) == running.count("journal_entries")


def test_a_manual_entry_is_made_and_booked(writer: Caller) -> None:
    accounts = [row["uuid"] for row in writer.sandbox.truth("ledger_accounts")]
    amount = {"amount": 12.5, "code": "CAD"}
    entry: dict[str, Any] = {
        "name": "Correction",
        "userEnteredDate": {"year": 2026, "month": 1, "day": 30},
        "details": [
            {"accountId": accounts[1], "type": "TYPE_DEBIT", "amount": amount},
            {"accountId": accounts[4], "type": "TYPE_CREDIT", "amount": amount},
        ],
    }
    url = f"{writer.url}/accounting/businesses/{writer.uuid}/journal_entries"

    def post(body: dict[str, Any]) -> Any:
        return writer.session.post(
            url, json={"manualJournalEntry": body}, headers=VERSION, timeout=30
        )

    answer = post(entry)
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert made["details"] == entry["details"]
    details = writer.sandbox.truth("journal_entry_details")
    booked = [row for row in details if row["name"] == "Correction"]
    assert sorted(row["balance"]["amount"] for row in booked) == ["-12.50", "12.50"]
    broken = {**entry, "details": entry["details"][:1]}
    answer = post(broken)
    assert answer.status_code == 400
    assert answer.json()["errors"]["status"] == 400


def test_the_old_chart_ignores_paging(caller: Caller) -> None:
    path = "journal_entry_accounts/journal_entry_accounts"
    result = caller.accounting(f"{path}?page=3&per_page=2")
    assert result["per_page"] == result["total"] == len(result["journal_entry_accounts"])
    assert (result["page"], result["pages"]) == (1, 1)
    row = result["journal_entry_accounts"][0]
    assert isinstance(row["accountid"], int)
    assert isinstance(row["balance"], str)


def test_details_are_paged_at_a_hundred(caller: Caller) -> None:
    path = "journal_entries/journal_entry_details"
    result = caller.accounting(f"{path}?per_page=500")
    assert result["per_page"] == len(result["journal_entry_details"]) == 100
    seen = []
    for page in range(1, result["pages"] + 1):
        rows = caller.accounting(f"{path}?per_page=100&page={page}")["journal_entry_details"]
        seen += [row["id"] for row in rows]
    assert len(seen) == len(set(seen)) == result["total"]
    assert seen == [row["id"] for row in caller.sandbox.truth("journal_entry_details")]


def test_the_system_is_one_object_under_any_of_its_ids(caller: Caller) -> None:
    truth = caller.sandbox.truth("systems")[0]
    assert truth["date"] == "2023-10-01 08:00:00"
    for key in (caller.business, truth["systemid"], caller.account):
        assert caller.accounting(f"systems/systems/{key}") == {"system": truth}
    roles = caller.get("/auth/api/v1/users/me").json()["response"]["roles"]
    role = next(role for role in roles if role["accountid"] == caller.account)
    assert role["systemid"] == truth["id"]
    base = f"/accounting/account/{caller.account}/systems/systems"
    assert caller.get(base).status_code == 404
    assert caller.get(f"{base}/99").json()["response"]["errors"][0]["errno"] == 1012
    assert caller.get(f"/accounting/account/{caller.account}/systems/gateways").status_code == 200


def test_the_presentation_is_one_object(caller: Caller) -> None:
    result = caller.accounting("invoices/presentations?page=9")
    assert result == {"presentation": caller.sandbox.truth("invoice_presentation")[0]}
    assert result["presentation"]["invoiceid"] is None


def test_a_share_link_is_one_of_an_invoice_that_was_sent(caller: Caller) -> None:
    invoices = caller.sandbox.truth("invoices")
    sent = next(row for row in invoices if row["v3_status"] != "draft")
    draft = next(row for row in invoices if row["v3_status"] == "draft")
    path = "invoices/invoices/{}/share_link?share_method=share_link"
    link = caller.accounting(path.format(sent["id"]))["share_link"]
    assert link["resourceid"] == str(sent["id"])
    assert (link["clientid"], link["share_method"]) == (sent["customerid"], "share_link")
    answer = caller.get(f"/accounting/account/{caller.account}/{path.format(draft['id'])}")
    assert answer.status_code == 422
    assert answer.json()["response"]["errors"][0]["errno"] == 8034
    answer = caller.get(f"/accounting/account/{caller.account}/{path.format(99)}")
    assert answer.json()["response"]["errors"][0]["errno"] == 1012
    assert len(caller.sandbox.truth("invoice_share_links")) == sum(
        row["v3_status"] != "draft" for row in invoices
    )


def test_wrong_identifiers_are_404(caller: Caller) -> None:
    for path in (
        f"/accounting/businesses/{caller.account}/journal_entries",
        f"/accounting/businesses/{caller.business}/reports/chart_of_accounts",
        f"/accounting/account/{caller.uuid}/bills/bills",
    ):
        answer = caller.session.get(caller.url + path, headers=VERSION, timeout=30)
        assert answer.status_code == 404
