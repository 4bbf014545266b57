"""Writes of accounts payable, credits, profiles and staff: timestamps, merges, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import SandboxError

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller

KEYS = {
    **dict.fromkeys(
        [
            *("invoice_profiles", "credit_notes", "bills", "bill_payments", "staffs", "tasks"),
            *("expense_profiles", "gateways", "journal_entries"),
        ],
        "id",
    ),
    "other_incomes": "incomeid",
    "bill_vendors": "vendorid",
}
SUMMER, WINTER = "2026-07-01T14:00:00Z", "2026-12-01T15:00:00Z"


def error(answer: Any) -> tuple[int, int]:
    return answer.status_code, answer.json()["response"]["errors"][0]["errno"]


def row_of(caller: Caller, resource: str, key: Any) -> dict[str, Any]:
    rows = caller.sandbox.truth(resource)
    return next(row for row in rows if row[KEYS[resource]] == key)


@pytest.mark.parametrize("resource", KEYS)
def test_each_can_be_created_updated_and_deleted_without_a_token(
    writer: Caller, resource: str
) -> None:
    sandbox, name = writer.sandbox, KEYS[resource]
    before = sandbox.count(resource)
    made = sandbox.create(resource, count=2)
    assert sandbox.count(resource) == before + 2
    assert len({row[name] for row in sandbox.truth(resource)}) == before + 2
    sandbox.delete(resource, made[0][name])
    left = {row[name]: row for row in sandbox.truth(resource)}
    if resource in ("gateways", "journal_entries"):
        assert made[0][name] not in left
    else:
        assert left[made[0][name]]["vis_state"] == 1


@pytest.mark.parametrize(
    ("resource", "values"),
    [
        ("invoice_profiles", {"notes": "edited"}),
        ("credit_notes", {"notes": "edited"}),
        ("other_incomes", {"note": "edited"}),
        ("bills", {"bill_number": "edited"}),
        ("bill_vendors", {"note": "edited"}),
        ("bill_payments", {"note": "edited"}),
        ("staffs", {"note": "edited"}),
        ("tasks", {"name": "edited"}),
        ("expense_profiles", {"notes": "edited"}),
        ("gateways", {"gateway_name": "edited"}),
        ("journal_entries", {"description": "edited"}),
        ("systems", {"name": "edited"}),
        ("invoice_presentation", {"label": "edited"}),
    ],
)
def test_edits_reach_the_truth(writer: Caller, resource: str, values: dict[str, Any]) -> None:
    changed = writer.sandbox.update(resource, "newest", **values)
    assert changed.items() >= values.items()
    assert changed in writer.sandbox.truth(resource)


@pytest.mark.parametrize(
    "resource",
    [
        *("journal_entry_details", "journal_entry_accounts", "chart_of_accounts"),
        *("expense_vendors", "expense_summaries", "invoice_share_links", "billable_items"),
        *("ledger_account_types", "ledger_account_sub_types"),
    ],
)
def test_what_follows_from_others_is_edited_there(writer: Caller, resource: str) -> None:
    with pytest.raises(SandboxError, match="follow"):
        writer.sandbox.create(resource)


def test_a_change_between_two_pages(writer: Caller) -> None:
    writer.sandbox.faults(
        "change", action="create", resource="bills", path="*/bills/bills", times=1
    )
    first = writer.accounting("bills/bills?per_page=5")["bills"]
    second = writer.accounting("bills/bills?per_page=5&page=2")["bills"]
    assert first[-1]["id"] == second[0]["id"]


@pytest.mark.parametrize(
    ("now", "utc", "eastern"),
    [
        (SUMMER, "2026-07-01 14:00:00", "2026-07-01 10:00:00"),
        (WINTER, "2026-12-01 15:00:00", "2026-12-01 10:00:00"),
    ],
)
def test_bills_are_stamped_in_utc_and_other_incomes_are_not(
    writer: Caller, now: str, utc: str, eastern: str
) -> None:
    writer.sandbox.clock(now=now, frozen=True)
    for resource in ("bills", "bill_vendors"):
        made = writer.sandbox.create(resource)[0]
        assert made["created_at"] == made["updated_at"] == utc
    income = writer.sandbox.create("other_incomes")[0]
    assert income["created_at"] == income["updated_at"] == eastern
    for resource in ("invoice_profiles", "staffs", "tasks", "expense_profiles"):
        assert writer.sandbox.create(resource)[0]["updated"] == eastern
    staff = writer.sandbox.create("staffs")[0]
    assert staff["signup_date"] == eastern


def test_deleting_moves_the_timestamp_except_on_other_incomes(writer: Caller) -> None:
    for resource, column in (
        *(("bills", "updated_at"), ("bill_vendors", "updated_at")),
        *(("invoice_profiles", "updated"), ("tasks", "updated")),
    ):
        made = writer.sandbox.create(resource)[0]
        writer.sandbox.clock(advance=60)
        writer.sandbox.delete(resource, made[KEYS[resource]])
        assert row_of(writer, resource, made[KEYS[resource]])[column] > made[column]
    income = writer.sandbox.create("other_incomes")[0]
    path = f"other_incomes/other_incomes/{income['incomeid']}"
    writer.sandbox.clock(advance=60)
    answer = writer.write("PUT", path, {"other_income": {"vis_state": 1}})
    assert answer.json()["response"]["result"]["other_income"] == {**income, "vis_state": 1}
    second = writer.sandbox.create("other_incomes")[0]
    writer.sandbox.clock(advance=60)
    answer = writer.write("DELETE", f"other_incomes/other_incomes/{second['incomeid']}")
    after = answer.json()["response"]["result"]["other_income"]
    assert (after["vis_state"], after["updated_at"]) == (1, second["updated_at"])
    third = writer.sandbox.create("other_incomes")[0]
    writer.sandbox.clock(advance=60)
    changed = writer.sandbox.update("other_incomes", third["incomeid"], note="x")
    assert changed["updated_at"] > third["updated_at"]


def test_other_incomes_want_the_whole_record_and_normalise_cards(writer: Caller) -> None:
    body = {
        "amount": {"amount": "25.5", "code": "USD"},
        "category_name": "rentals",
        "date": "2026-01-20",
        "payment_type": "Visa",
    }
    answer = writer.write("POST", "other_incomes/other_incomes", {"other_income": body})
    made = answer.json()["response"]["result"]["other_income"]
    assert (made["amount"], made["payment_type"]) == ({"amount": "25.50", "code": "USD"}, "VISA")
    path = f"other_incomes/other_incomes/{made['incomeid']}"
    assert error(writer.write("PUT", path, {"other_income": {"note": "x"}})) == (422, 1001)
    answer = writer.write("PUT", path, {"other_income": {**body, "note": "x"}})
    assert answer.json()["response"]["result"]["other_income"]["note"] == "x"


def test_a_bill_and_its_payments(writer: Caller) -> None:
    vendor = {"bill_vendor": {"vendor_name": "Harbour Supply", "currency_code": "CAD"}}
    answer = writer.write("POST", "bill_vendors/bill_vendors", vendor)
    vendorid = answer.json()["response"]["result"]["bill_vendor"]["vendorid"]
    line = {
        "category": {"categoryid": 7002},
        "description": "Rope",
        "quantity": 2,
        "unit_cost": {"amount": "50.00"},
        "tax_name1": "HST",
        "tax_percent1": "13",
    }
    body = {"vendorid": vendorid, "issue_date": "2026-01-20", "due_offset_days": 3000}
    answer = writer.write("POST", "bills/bills", {"bill": {**body, "lines": [line]}})
    bill = answer.json()["response"]["result"]["bill"]
    assert (bill["total_amount"]["amount"], bill["status"]) == ("113.00", "unpaid")
    assert bill["due_date"] == "2034-04-08"
    assert bill["lines"][0]["category"]["categoryid"] == 7002
    assert "transaction_posted" not in bill["lines"][0]["category"]
    writer.sandbox.clock(advance=60)
    payment = {"billid": bill["id"], "amount": {"amount": "13"}, "paid_date": "2026-01-21"}
    answer = writer.write("POST", "bill_payments/bill_payments", {"bill_payment": payment})
    made = answer.json()["response"]["result"]["bill_payment"]
    after = writer.accounting(f"bills/bills/{bill['id']}")["bill"]
    assert after["bill_payments"] == [made]
    assert (after["paid"]["amount"], after["outstanding"]["amount"]) == ("13.00", "100.00")
    assert after["status"] == "partial"
    assert after["updated_at"] > bill["updated_at"]
    owed = writer.accounting(f"bill_vendors/bill_vendors/{vendorid}")["bill_vendor"]
    assert owed["outstanding_balance"] == [{"amount": {"amount": "100.00", "code": "CAD"}}]
    assert owed["overdue_balance"] == []
    path = f"bill_payments/bill_payments/{made['id']}"
    writer.write("PUT", path, {"bill_payment": {"vis_state": 1}})
    assert writer.accounting(f"bills/bills/{bill['id']}")["bill"]["status"] == "unpaid"


def test_wrong_bills_are_refused(writer: Caller) -> None:
    def post(path: str, **body: Any) -> tuple[int, int]:
        single = path.partition("/")[0].removesuffix("s")
        return error(writer.write("POST", path, {single: body}))

    assert post("bills/bills", issue_date="2026-01-01") == (422, 1001)
    assert post("bills/bills", vendorid=99, issue_date="2026-01-01") == (404, 1012)
    assert post("bills/bills", vendorid=1501, issue_date="soon") == (422, 1033)
    payment = {"amount": "1", "paid_date": "2026-01-01"}
    assert post("bill_payments/bill_payments", billid=99, **payment) == (404, 1012)
    assert post("bill_vendors/bill_vendors", note="x") == (422, 1001)


def test_a_credit_note_is_made_of_lines(writer: Caller) -> None:
    body = {
        "clientid": 1001,
        "create_date": "2026-01-20",
        "credit_type": "prepayment",
        "lines": [{"name": "Deposit", "qty": "1", "unit_cost": "75"}],
    }
    answer = writer.write("POST", "credit_notes/credit_notes", {"credit_note": body})
    note = answer.json()["response"]["result"]["credit_note"]
    assert (note["amount"]["amount"], note["payment_status"]) == ("75.00", "unpaid")
    path = f"credit_notes/credit_notes/{note['creditid']}"
    line = writer.accounting(f"{path}?include[]=lines")["credit_note"]["lines"][0]
    assert (line["creditid"], line["taskno"], line["qty"]) == (note["id"], 1, "1")
    answer = writer.write("PUT", path, {"credit_note": {"vis_state": 1, "notes": "dropped"}})
    after = answer.json()["response"]["result"]["credit_note"]
    assert (after["vis_state"], after["notes"]) == (1, "")


def test_renaming_a_client_moves_his_profiles_and_keeps_his_credits(writer: Caller) -> None:
    profile = next(row for row in writer.sandbox.truth("invoice_profiles") if row["vis_state"] == 0)
    client = profile["customerid"]
    note = writer.sandbox.create("credit_notes", clientid=client)[0]
    writer.sandbox.clock(now="2026-07-01T14:00:00Z", frozen=True)
    writer.write("PUT", f"users/clients/{client}", {"client": {"organization": "New Name"}})
    after = row_of(writer, "invoice_profiles", profile["id"])
    assert (after["organization"], after["updated"]) == ("New Name", "2026-07-01 10:00:00")
    kept = row_of(writer, "credit_notes", note["id"])
    assert kept["organization"] == note["organization"]
    assert kept["current_organization"] == "New Name"


def test_a_profile_may_not_start_in_the_past(writer: Caller) -> None:
    body = {"customerid": 1001, "create_date": "2020-01-01", "frequency": "m"}
    path = "invoice_profiles/invoice_profiles"
    assert error(writer.write("POST", path, {"invoice_profile": body})) == (422, 16003)
    body["create_date"] = "2099-01-01"
    answer = writer.write("POST", path, {"invoice_profile": body})
    made = answer.json()["response"]["result"]["invoice_profile"]
    assert (made["frequency"], made["occurrences_to_date"]) == ("m", 0)
    query = "include[]=next_issue_date,project_format,late_fee"
    single = writer.accounting(f"{path}/{made['id']}?{query}")["invoice_profile"]
    assert single["next_issue_date"] == "2099-01-01"


def test_the_owner_of_the_staff_cannot_be_deleted(writer: Caller) -> None:
    answer = writer.write("PUT", "users/staffs/1", {"staff": {"vis_state": 1}})
    assert answer.status_code == 403
    assert answer.json()["response"]["errors"] == [
        {
            "errno": 1003,
            "field": None,
            "message": "Permission Denied.",
            "object": None,
            "value": None,
        }
    ]
    answer = writer.write("PUT", "users/staffs/2", {"staff": {"vis_state": 1}})
    assert answer.json()["response"]["result"]["staff"]["vis_state"] == 1


def test_a_task_brings_its_service_and_the_reverse(writer: Caller) -> None:
    answer = writer.write(
        "POST", "projects/tasks", {"task": {"name": "Survey", "rate": {"amount": "80"}}}
    )
    task = answer.json()["response"]["result"]["task"]
    assert (task["tname"], task["rate"]["amount"]) == ("Survey", "80.00")
    services = writer.sandbox.truth("services", include="include_task_id")
    service = next(row for row in services if row["task_id"] == task["id"])
    assert service["name"] == "Survey"
    writer.write("PUT", f"projects/tasks/{task['id']}", {"task": {"vis_state": 1}})
    assert service["id"] in [row["id"] for row in writer.sandbox.truth("services")]
    made = writer.sandbox.create("services", name="Haul-out")[0]
    tasks = {row["name"]: row for row in writer.sandbox.truth("tasks")}
    services = writer.sandbox.truth("services", include="include_task_id")
    found = next(row for row in services if row["id"] == made["id"])
    assert tasks["Haul-out"]["id"] == found["task_id"]


def test_a_gateway_vanishes_and_takes_no_other_write(writer: Caller) -> None:
    key = writer.accounting("systems/gateways")["gateways"][0]["id"]
    path = f"systems/gateways/{key}"
    assert writer.write("PUT", path, {"gateway": {"sgid": 1}}).status_code == 405
    assert writer.write("POST", "systems/gateways", {"gateway": {}}).status_code == 405
    answer = writer.write("DELETE", path)
    assert (answer.status_code, answer.json()) == (200, {"response": {}})
    keys = [row["id"] for row in writer.accounting("systems/gateways")["gateways"]]
    assert key not in keys
    assert writer.write("DELETE", path).status_code == 404


def test_deleting_a_document_takes_its_entry_out_of_the_journal(writer: Caller) -> None:
    details = writer.sandbox.truth("journal_entry_details")
    key = next(row["entry"]["expenseid"] for row in details if row["entry"]["expenseid"])
    writer.sandbox.delete("expenses", key)
    after = writer.sandbox.truth("journal_entry_details")
    assert key not in [row["entry"]["expenseid"] for row in after]
    gone = {row["id"] for row in details} - {row["id"] for row in after}
    assert gone == {row["id"] for row in details if row["entry"]["expenseid"] == key}


def test_a_tax_without_an_amount_is_a_default_of_vendors_too(writer: Caller) -> None:
    while writer.sandbox.count("taxes"):
        writer.sandbox.delete("taxes", "newest")
    writer.sandbox.create("taxes", name="GST")
    for vendor in writer.sandbox.truth("bill_vendors"):
        assert all(default["amount"] == "0" for default in vendor["tax_defaults"])


def test_a_key_is_never_given_twice(writer: Caller) -> None:
    first = writer.sandbox.create("taxes", name="GST", amount="5")[0]["id"]
    writer.sandbox.delete("taxes", first)  # it vanishes
    assert first not in {row["id"] for row in writer.sandbox.truth("taxes")}
    second, third = (row["id"] for row in writer.sandbox.create("taxes", count=2, amount="5"))
    assert first < second < third
