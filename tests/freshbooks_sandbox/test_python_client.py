from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from freshbooks_sandbox import Sandbox, SandboxError

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller


def test_requests_are_counted_per_path_and_application(writer: Caller) -> None:
    writer.sandbox.stats_clear()
    path = f"/accounting/account/{writer.account}/users/clients"
    writer.get(path)
    writer.get(f"{path}?page=2")
    writer.get(f"{path}/99")
    mine = writer.sandbox.stats(writer.client_id)
    assert mine["paths"] == {f"GET {path}": 2, f"GET {path}/99": 1}
    assert mine["statuses"] == {"200": 2, "404": 1}
    assert writer.sandbox.stats()["requests"] == mine["requests"] == 3
    assert writer.sandbox.stats("nobody")["requests"] == 0


def test_most_in_flight_is_seen(writer: Caller) -> None:
    writer.sandbox.faults("latency", seconds=0.3, path="users/clients")
    path = f"/accounting/account/{writer.account}/users/clients"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: writer.get(path), range(3)))
    assert writer.sandbox.stats(writer.client_id)["most_in_flight"] == 3


def test_the_truth_has_deleted_rows_and_hidden_stamps(sandbox: Sandbox) -> None:
    assert {row["vis_state"] for row in sandbox.truth("clients")} == {0, 1, 2}
    assert "updated_at" in sandbox.truth("time_entries")[0]
    rows = sandbox.truth("invoices", business=2, include="lines", fields="id,lines")
    assert set(rows[0]) == {"id", "lines"}
    assert sandbox.count("invoices") == 120
    with pytest.raises(SandboxError, match="nonsense"):
        sandbox.truth("nonsense")
    with pytest.raises(SandboxError, match="nobody"):
        sandbox.truth("clients", business="nobody")


def test_a_business_has_many_names(sandbox: Sandbox) -> None:
    second = sandbox.businesses()[1]
    rows = sandbox.truth("clients", business=2)
    for name in ("id", "account_id", "business_uuid"):
        assert sandbox.truth("clients", business=second[name]) == rows


@pytest.mark.parametrize(
    "resource",
    [
        *("clients", "invoices", "estimates", "payments", "expenses", "expense_categories"),
        *("items", "taxes", "projects", "time_entries", "services", "team_members"),
        "ledger_accounts",
    ],
)
def test_every_resource_can_be_edited_without_a_token(own: Sandbox, resource: str) -> None:
    before = own.count(resource)
    made = own.create(resource, count=2)
    assert own.count(resource) == before + 2
    key = "uuid" if "uuid" in made[0] and "id" not in made[0] else "id"
    assert len({row[key] for row in own.truth(resource)}) == before + 2
    own.delete(resource, made[0][key])
    truth = {row[key]: row for row in own.truth(resource)}
    gone = truth.get(made[0][key])
    assert gone is None or gone.get("vis_state") == 1 or gone.get("active") is False


def test_edits_reach_the_next_read(writer: Caller) -> None:
    writer.sandbox.update("clients", 1001, note="edited")
    assert writer.accounting("users/clients/1001")["client"]["note"] == "edited"
    made = writer.sandbox.create("clients", organization="Newcomer")[0]
    assert writer.accounting("users/clients?per_page=1")["clients"][0]["id"] == made["id"]
    with pytest.raises(SandboxError):
        writer.sandbox.update("clients", 99, note="nobody")


def test_the_clock_makes_invoices_overdue(writer: Caller) -> None:
    def overdue() -> int:
        path = "invoices/invoices?search[v3_status]=overdue"
        total: int = writer.accounting(path)["total"]
        return total

    writer.sandbox.clock(now="2023-11-01T12:00:00Z")
    assert overdue() == 0
    writer.sandbox.clock()
    assert overdue() > 0


def test_the_date_header_follows_the_clock(writer: Caller) -> None:
    writer.sandbox.clock(now="2026-02-01T12:00:00Z", frozen=True)
    headers = writer.get("/auth/api/v1/users/me").headers
    assert headers["Date"] == "Sun, 01 Feb 2026 12:00:00 GMT"
