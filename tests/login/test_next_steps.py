from __future__ import annotations

import pytest

from tap_freshbooks.login.next_steps import next_steps

RUN = "meltano run tap-freshbooks target-postgres"


@pytest.mark.parametrize(
    ("places", "catalog", "command"),
    [
        (["config.json"], None, "tap-freshbooks --config config.json"),
        (["a.json", "ENV"], None, "tap-freshbooks --config a.json --config ENV"),
        (["my config.json"], "c.json", "tap-freshbooks --config 'my config.json' --catalog c.json"),
        (["$(reboot).json"], None, "tap-freshbooks --config '$(reboot).json'"),
    ],
)
def test_the_command_has_the_options_of_the_login(
    places: list[str], catalog: str | None, command: str
) -> None:
    steps = next_steps(places, catalog, "/t.json", is_configured=False, meltano=False)
    assert steps[0].command == f"{command} | target-jsonl"


def test_a_meltano_project_elsewhere_needs_a_login_of_its_own() -> None:
    singer, meltano = next_steps(["c.json"], None, "/t.json", is_configured=False, meltano=False)
    assert "target-jsonl" in singer.command
    assert meltano.command == f"meltano invoke tap-freshbooks:login && {RUN}"
    assert "a login there ends this one" in meltano.text


def test_with_a_token_store_of_its_own_meltano_finds_the_tokens() -> None:
    steps = next_steps(["c.json"], None, "/t.json", is_configured=True, meltano=False)
    assert steps[-1].command == RUN


def test_under_meltano_its_command_comes_first() -> None:
    steps = next_steps(["ENV"], None, "/t.json", is_configured=False, meltano=True)
    assert steps[0].command == RUN
    assert steps[1].command == "tap-freshbooks --config ENV | target-jsonl"
    assert "token_store /t.json" in steps[1].text
