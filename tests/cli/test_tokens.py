"""experience tokens: create shows the token once, list and revoke never do."""

from pathlib import Path

import pytest

from .conftest import CommandLine


def test_a_token_is_shown_once_and_kept_as_a_digest(cli: CommandLine, empty_folder: Path) -> None:
    made = cli.json("tokens", "create", "shop", "--scope", "site", "--origin", "HTTPS://Shop.example:443/")

    assert made["token"].startswith("exp_site_")
    assert len(made["token"]) > 50
    assert (made["scopes"], made["origins"]) == (["site"], ["https://shop.example"])
    listed = cli("tokens", "list", "--json")
    assert listed.document == {"tokens": [{k: v for k, v in made.items() if k != "token"}]}
    stored = b"".join(file.read_bytes() for file in empty_folder.glob("experience.db*"))
    assert made["token"].encode() not in stored
    assert made["token"].removeprefix("exp_site_").encode() not in stored


def test_a_token_on_stdout_is_alone_there(cli: CommandLine) -> None:
    said = cli("tokens", "create", "ops", "--scope", "operator", "--scope", "author")

    assert said.out.startswith("exp_author_")
    assert said.out.count("\n") == 1
    assert "shown once" in said.err


def test_a_revoked_token_is_gone_and_its_name_free(cli: CommandLine) -> None:
    cli.json("tokens", "create", "ops", "--scope", "operator")

    assert cli.json("tokens", "revoke", "ops") == {"revoked": "ops"}
    assert cli("tokens", "revoke", "ops", "--json").refusal["code"] == "unauthorized"
    assert (
        cli("tokens", "list").out == "no tokens; `experience tokens create NAME --scope operator` makes one\n"
    )
    cli.json("tokens", "create", "ops", "--scope", "operator")
    assert cli("tokens", "create", "ops", "--scope", "site", "--json").refusal["code"] == "conflict"


def test_the_list_tells_what_each_is_for_and_until_when(cli: CommandLine) -> None:
    made = cli.json("tokens", "create", "audit", "--scope", "viewer", "--expires", "90d", "--note", "of 2026")
    cli.json("tokens", "create", "ops", "--scope", "operator", "--expires", "2099-01-01")

    told = cli("tokens", "list").out

    assert (made["note"], made["used_at"]) == ("of 2026", None)
    assert (
        f"audit                viewer               not used yet, expires {made['expires_at'][:10]}" in told
    )
    assert "                     of 2026\n" in told
    assert "not used yet, expires 2099-01-01 00:00 UTC" in told


def test_a_key_may_be_for_the_origin_null_where_somebody_wants_it(cli: CommandLine) -> None:
    made = cli.json("tokens", "create", "frame", "--scope", "site", "--origin", "null")

    assert made["origins"] == ["null"]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("shop", "--scope", "site", "--expires", "soon"), "neither a duration nor"),
        (("shop", "--scope", "site", "--expires", "90"), "not a minute from now"),
        (("shop", "--scope", "site", "--expires", "2020-01-01"), "not a minute from now"),
        (("shop", "--scope", "site", "--expires", "9" * 60 + "y"), "neither a duration nor"),
        (("shop", "--scope", "site", "--note", "two\nlines"), "one line"),
        (("shop", "--scope", "site", "--note", "x" * 201), "one line"),
        (("shop", "--scope", "site", "--origin", "NULL"), "starts with"),
        (("Shop", "--scope", "site"), "small letters"),
        (("a b", "--scope", "site"), "small letters"),
        (("shop", "--scope", "site", "--origin", "shop.example"), "starts with"),
        (("shop", "--scope", "site", "--origin", "https://shop.example/path"), "more than a scheme"),
        (("shop", "--scope", "site", "--origin", "https://user:secret@shop.example"), "user name"),
        (("shop", "--scope", "site", "--origin", "https://shop.example?x=1"), "more than a scheme"),
        (("shop", "--scope", "site", "--origin", "*"), "starts with"),
    ],
)
def test_a_token_that_cannot_be_is_refused(cli: CommandLine, words: tuple[str, ...], hint: str) -> None:
    refusal = cli("tokens", "create", *words, "--json").refusal

    assert refusal["code"] == "invalid_parameter"
    assert hint in refusal["message"]
    assert "secret" not in refusal["message"] or "user name" in hint
