from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller

LINES = [
    {"name": "Survey", "qty": "2", "unit_cost": {"amount": "100.00", "code": "CAD"}},
    {"name": "Report", "qty": "1", "unit_cost": "50", "taxName1": "HST", "taxAmount1": "13"},
]


def invoice(writer: Caller, **fields: Any) -> dict[str, Any]:
    body = {"customerid": 1001, "create_date": "2026-01-10", "lines": LINES, **fields}
    answer = writer.write("POST", "invoices/invoices?include[]=lines", {"invoice": body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["response"]["result"]["invoice"]
    return found


def read(writer: Caller, path: str, single: str) -> dict[str, Any]:
    found: dict[str, Any] = writer.accounting(path)[single]
    return found


def error(answer: Any) -> tuple[int, int, str | None]:
    found = answer.json()["response"]["errors"][0]
    return answer.status_code, found["errno"], found["field"]


def test_a_new_client_gets_both_stamps_in_their_zones(writer: Caller) -> None:
    writer.sandbox.clock(now="2026-07-01T14:00:00Z", frozen=True)
    body = {"client": {"fname": "Mira", "lname": "Okafor", "email": "mira@example.com"}}
    answer = writer.write("POST", "users/clients", body).json()
    client = answer["response"]["result"]["client"]
    assert client["organization"] == "Mira Okafor"
    assert client["signup_date"] == "2026-07-01 14:00:00"
    assert client["updated"] == "2026-07-01 10:00:00"
    assert writer.accounting("users/clients")["clients"][0] == client


def test_a_put_merges_and_one_without_a_change_moves_nothing(writer: Caller) -> None:
    before = read(writer, "users/clients/1001", "client")
    writer.write("PUT", "users/clients/1001", {"client": {"organization": before["organization"]}})
    assert read(writer, "users/clients/1001", "client") == before
    writer.write("PUT", "users/clients/1001", {"client": {"note": "Call first"}})
    after = read(writer, "users/clients/1001", "client")
    assert after["updated"] > before["updated"]
    assert {k for k in after if after[k] != before[k]} == {"note", "updated"}


def test_the_first_delete_moves_the_stamp_and_the_second_does_not(writer: Caller) -> None:
    writer.sandbox.clock(now="2026-07-01T14:00:00Z", frozen=True)
    gone = {"client": {"vis_state": 1, "note": "dropped silently"}}
    first = writer.write("PUT", "users/clients/1001", gone).json()["response"]["result"]["client"]
    assert (first["vis_state"], first["updated"]) == (1, "2026-07-01 10:00:00")
    assert first["note"] != "dropped silently"
    writer.sandbox.clock(advance=60)
    second = writer.write("PUT", "users/clients/1001", gone).json()["response"]["result"]
    assert second["client"] == first
    assert read(writer, "users/clients/1001", "client") == first
    listed = writer.accounting("users/clients?per_page=100")["clients"]
    assert 1001 not in [row["id"] for row in listed]


def test_renaming_a_client_moves_his_drafts_alone(writer: Caller) -> None:
    sent = invoice(writer, status=2)
    draft = invoice(writer)
    writer.sandbox.clock(advance=60)
    writer.write("PUT", "users/clients/1001", {"client": {"organization": "New Name"}})
    after = read(writer, f"invoices/invoices/{draft['id']}", "invoice")
    assert after["organization"] == "New Name"
    assert after["updated"] > draft["updated"]
    kept = read(writer, f"invoices/invoices/{sent['id']}", "invoice")
    assert kept["organization"] == sent["organization"]
    assert kept["current_organization"] == "New Name"
    assert kept["updated"] == sent["updated"]


def test_the_amount_of_an_invoice_follows_from_its_lines(writer: Caller) -> None:
    made = invoice(writer, discount_value="10")
    # (200 + 50) - 10 % + 13 % on the 45 that are left of the second line
    assert made["amount"] == {"amount": "230.85", "code": "CAD"}
    assert made["discount_total"]["amount"] == "-25.00"
    assert [line["lineid"] for line in made["lines"]] == [1, 2]
    assert (made["status"], made["v3_status"], made["due_date"]) == (1, "draft", "2026-01-10")
    later = writer.write(
        "PUT", f"invoices/invoices/{made['id']}", {"invoice": {"due_offset_days": 30}}
    )
    assert later.json()["response"]["result"]["invoice"]["due_date"] == "2026-02-09"


def test_wrong_invoices_are_refused(writer: Caller) -> None:
    path = "invoices/invoices"

    def post(**body: Any) -> tuple[int, int, str | None]:
        return error(writer.write("POST", path, {"invoice": body}))

    assert post(create_date="2026-01-10") == (422, 1001, "customerid")
    assert post(customerid=1001) == (422, 1001, "create_date")
    assert post(customerid=99, create_date="2026-01-10") == (404, 1012, "userid")
    assert post(customerid=1001, create_date="soon") == (422, 1033, "create_date")
    full = {"customerid": 1001, "create_date": "2026-01-10"}
    assert post(**full, status="sent") == (422, 1015, "status")
    assert post(**full, status=4) == (422, 1004, "status")
    assert post(**full, due_date="2026-02-01") == (403, 1038, "due_date")
    answer = writer.session.post(
        f"{writer.url}/accounting/account/{writer.account}/{path}", data="{", timeout=30
    )
    assert error(answer) == (400, 1005, None)


def test_values_of_an_unforeseen_kind_are_no_server_error(writer: Caller) -> None:
    body = {"customerid": 1001, "create_date": "2026-01-10", "due_offset_days": "soon"}
    assert error(writer.write("POST", "invoices/invoices", {"invoice": body})) == (422, 1004, None)
    body = {"customerid": 1001, "create_date": "2026-01-10", "lines": ["x"]}
    assert error(writer.write("POST", "invoices/invoices", {"invoice": body})) == (422, 1004, None)
    answer = writer.write("PUT", "users/clients/1001", {"client": {"vis_state": 7}})
    assert error(answer) == (422, 1004, None)
    assert error(writer.write("PUT", "users/clients/1001", [])) == (422, 1001, "client")


def test_payments_move_the_invoice_in_the_same_second(writer: Caller) -> None:
    made = invoice(writer, status=2, due_offset_days=3000)
    path = f"invoices/invoices/{made['id']}"
    assert made["amount"]["amount"] == "256.50"
    writer.sandbox.clock(now="2026-07-01T14:00:00Z", frozen=True)
    body = {
        "invoiceid": made["id"],
        "amount": {"amount": "100"},
        "date": "2026-01-20",
        "type": "Check",
    }
    answer = writer.write("POST", "payments/payments", {"payment": body})
    payment = answer.json()["response"]["result"]["payment"]
    after = read(writer, path, "invoice")
    assert after["updated"] == payment["updated"] == "2026-07-01 10:00:00"
    assert (after["paid"]["amount"], after["outstanding"]["amount"]) == ("100.00", "156.50")
    states = (after["status"], after["v3_status"], after["payment_status"])
    assert states == (2, "partial", "partial")
    writer.sandbox.clock(advance=60)
    change = {"payment": {"amount": {"amount": "256.50"}}}
    writer.write("PUT", f"payments/payments/{payment['id']}", change)
    after = read(writer, path, "invoice")
    assert (after["status"], after["v3_status"], after["date_paid"]) == (4, "paid", "2026-01-20")
    assert after["updated"] == "2026-07-01 10:01:00"
    writer.sandbox.clock(advance=60)
    writer.write("PUT", f"payments/payments/{payment['id']}", {"payment": {"vis_state": 1}})
    after = read(writer, path, "invoice")
    assert (after["paid"]["amount"], after["v3_status"]) == ("0.00", "sent")
    assert after["updated"] == "2026-07-01 10:02:00"


def credit_of(writer: Caller) -> float:
    client = writer.accounting("users/clients/1001?include[]=credit_balance")["client"]
    return sum(float(entry["amount"]["amount"]) for entry in client["credit_balance"])


def test_paying_too_much_books_the_rest_apart(writer: Caller) -> None:
    before, made = credit_of(writer), invoice(writer, status=2)
    body = {"invoiceid": made["id"], "amount": "300", "date": "2026-01-20", "type": "Cash"}
    answer = writer.write("POST", "payments/payments", {"payment": body})
    payment = answer.json()["response"]["result"]["payment"]
    assert payment["amount"]["amount"] == "256.50"
    rest = read(writer, f"payments/payments/{payment['overpaymentid']}", "payment")
    assert (rest["amount"]["amount"], rest["invoiceid"]) == ("43.50", 0)
    note = read(writer, f"credit_notes/credit_notes/{payment['creditid']}", "credit_note")
    assert (note["credit_type"], note["payment_status"]) == ("overpayment", "unpaid")
    assert note["amount"] == {"amount": "43.50", "code": "CAD"}
    assert credit_of(writer) == pytest.approx(before + 43.5)


def test_deleting_an_invoice_leaves_its_payments(writer: Caller) -> None:
    paid = writer.accounting("invoices/invoices?search[v3_status]=paid")["invoices"][0]
    answer = writer.write("DELETE", f"invoices/invoices/{paid['id']}")
    assert answer.json()["response"]["result"]["invoice"]["vis_state"] == 1
    payments = writer.accounting(f"payments/payments?search[invoiceid]={paid['id']}")["payments"]
    assert {row["vis_state"] for row in payments} == {0}


def test_a_tax_vanishes_for_good(writer: Caller) -> None:
    answer = writer.write("DELETE", "taxes/taxes/81")
    assert (answer.status_code, answer.json()) == (200, {"response": {}})
    assert error(writer.write("GET", "taxes/taxes/81")) == (404, 1012, "taxid")


def test_an_estimate_is_accepted_by_an_action(writer: Caller) -> None:
    body = {"estimate": {"customerid": 1001, "create_date": "2026-01-10", "lines": LINES}}
    answer = writer.write("POST", "estimates/estimates", body)
    made = answer.json()["response"]["result"]["estimate"]
    path = f"estimates/estimates/{made['id']}"
    answer = writer.write("PUT", path, {"estimate": {"action_accept": True, "notes": "dropped"}})
    after = answer.json()["response"]["result"]["estimate"]
    assert (after["accepted"], after["notes"]) == (True, "")


def test_expenses_are_created_changed_and_refused(writer: Caller) -> None:
    body = {"categoryid": "7002", "staffid": 1, "date": "2026-01-12", "amount": {"amount": "9.5"}}
    answer = writer.write("POST", "expenses/expenses", {"expense": body})
    made = answer.json()["response"]["result"]["expense"]
    assert (made["categoryid"], made["amount"]["amount"], made["status"]) == (7002, "9.50", 0)
    path = f"expenses/expenses/{made['id']}"
    assert error(writer.write("PUT", path, {"expense": {"status": 4}})) == (403, 1038, "status")
    writer.write("PUT", path, {"expense": {"clientid": 1001}})
    assert read(writer, path, "expense")["status"] == 1
    body["categoryid"] = "99"
    wrong = writer.write("POST", "expenses/expenses", {"expense": body})
    assert error(wrong) == (404, 1012, "categoryid")


def test_projects_merge_but_want_their_title(writer: Caller) -> None:
    base = f"/projects/business/{writer.business}"
    body = {"project": {"title": "Refit", "client_id": "1001", "rate": 95}}
    made = writer.request("POST", f"{base}/project", body).json()
    assert len(made["abilities"]) >= 17
    project = made["project"]
    assert (project["client_id"], project["rate"]) == (1001, "95")
    path = f"{base}/project/{project['id']}"
    broken = writer.request("PUT", path, {"project": {"description": "x"}})
    assert (broken.status_code, broken.json()) == (
        500,
        {"message": "An internal error has occurred."},
    )
    merged = writer.request("PUT", path, {"project": {"title": "Refit", "description": "x"}})
    assert (merged.json()["project"]["rate"], merged.json()["project"]["description"]) == (
        "95",
        "x",
    )
    gone = writer.request("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert writer.get(path).json()["project"]["active"] is False
    timed = {"title": "Refit", "due_date": "2026-04-30T09:00:00Z"}
    assert writer.request("POST", f"{base}/project", {"project": timed}).json()["project"][
        "due_date"
    ] == ("2026-04-30")
    wrong = writer.request("POST", f"{base}/project", {"project": {**timed, "due_date": "soon"}})
    assert wrong.json() == {"errno": 2001, "error": {"due_date": "invalid date format"}}
    missing = writer.request("POST", f"{base}/project", {"project": {}})
    assert missing.json() == {"errno": 2001, "error": {"title": "field required"}}


def test_time_entries_are_replaced_and_move_their_hidden_stamp(writer: Caller) -> None:
    base = f"/timetracking/business/{writer.business}/time_entries"
    writer.sandbox.clock(now="2026-07-01T14:00:00Z", frozen=True)
    entry = {
        "is_logged": True,
        "started_at": "2026-06-30T09:00:00Z",
        "duration": 3600,
        "note": "North wall",
        "client_id": "1001",
    }
    made = writer.request("POST", base, {"time_entry": entry}).json()["time_entry"]
    assert (made["client_id"], made["created_at"]) == (1001, "2026-07-01T14:00:00Z")
    assert made["local_started_at"] == "2026-06-30T05:00:00"
    path = f"{base}/{made['id']}"
    writer.sandbox.clock(advance=60)
    short = {"is_logged": True, "started_at": "2026-06-30T09:00:00Z", "duration": 60}
    after = writer.request("PUT", path, {"time_entry": short}).json()["time_entry"]
    assert (after["note"], after["client_id"], after["duration"]) == (None, None, 60)
    since = "?updated_since=2026-07-01T14:01:00Z"
    assert [row["id"] for row in writer.entries(since)["time_entries"]] == [made["id"]]
    writer.sandbox.clock(advance=60)
    assert writer.request("DELETE", path).status_code == 204
    since = "?include_deleted=true&updated_since=2026-07-01T14:02:00Z"
    found = writer.entries(since)["time_entries"]
    assert [(row["id"], row["active"]) for row in found] == [(made["id"], False)]


@pytest.mark.parametrize(
    ("changes", "where", "text"),
    [
        ({"started_at": None}, "started_at", "field required"),
        ({"duration": None}, "__root__", "Logged entries must have a duration"),
        ({"started_at": "noon"}, "started_at", "invalid datetime format"),
        ({"client_id": "x"}, "client_id", "value is not a valid integer"),
    ],
)
def test_wrong_time_entries_are_refused(
    writer: Caller, changes: dict[str, Any], where: str, text: str
) -> None:
    base = f"/timetracking/business/{writer.business}/time_entries"
    entry = {"is_logged": True, "started_at": "2026-06-30T09:00:00Z", "duration": 60, **changes}
    answer = writer.request("POST", base, {"time_entry": entry})
    assert (answer.status_code, answer.json()) == (422, {"errno": 2001, "error": {where: text}})


def test_what_cannot_be_written_says_so(writer: Caller) -> None:
    assert writer.write("POST", "expenses/categories", {"category": {}}).status_code == 405
    assert writer.write("DELETE", "users/clients/1001").status_code == 405
