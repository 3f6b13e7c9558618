"""Where the settings come from, ``init``, and the store's schema."""

import sqlite3
from pathlib import Path

import pytest

from cli.shell import Shell, apply, delivered, order, take_back
from reverseflow.storage.tables import SCHEMA_HEAD

FILE = "reverseflow.toml"


def test_init_makes_a_store_and_a_file_that_names_it(shell: Shell) -> None:
    answer = shell.done("init", "--db", "sqlite:///shop.db")
    assert "sqlite:///shop.db is ready" in answer.out
    assert (shell.folder / "shop.db").exists()
    assert 'database = "sqlite:///shop.db"' in (shell.folder / FILE).read_text()
    shell.done("run", shell.write("in.jsonl", order()))
    assert not (shell.folder / "reverseflow.db").exists()


def test_init_leaves_what_is_there(shell: Shell) -> None:
    shell.done("init")
    (shell.folder / FILE).write_text('actor = "operations:li"\n')
    answer = shell("init")
    assert answer.status == 2
    assert "file_exists" in answer.err
    assert 'actor = "operations:li"\n' == (shell.folder / FILE).read_text()
    shell.done("init", "--force")
    assert "database" in (shell.folder / FILE).read_text()


@pytest.mark.parametrize("url", ['sqlite:///o"dd.db', "sqlite:///back\\slash.db"])
def test_init_writes_any_name_so_that_it_can_be_read_again(shell: Shell, url: str) -> None:
    shell.done("init", "--db", url)
    shell.done("order", "list")


def test_the_option_goes_before_the_environment_and_that_before_the_file(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / FILE).write_text('database = "sqlite:///file.db"\n')
    file = shell.write("in.jsonl", order())
    shell.done("run", file)
    monkeypatch.setenv("REVERSEFLOW_DATABASE", "sqlite:///environment.db")
    shell.done("run", file)
    shell.done("run", file, "--db", "option.db")
    assert {"file.db", "environment.db", "option.db"} == {path.name for path in shell.folder.glob("*.db")}


def test_the_file_may_name_actor_and_platform(shell: Shell) -> None:
    (shell.folder / FILE).write_text('actor = "operations:li"\nplatform = "generic_web"\n')
    shell.run(delivered(), take_back())
    shell.done("ticket", "approve", "E2-R1")


def test_two_tenants_share_a_store_and_see_nothing_of_each_other(shell: Shell) -> None:
    shell.run(order(), options=["--tenant", "one"])
    shell.run(order(), apply(), options=["--tenant", "two"])
    assert [] == shell.done("ticket", "list", "--tenant", "one", "--json").lines
    assert 1 == len(shell.done("ticket", "list", "--tenant", "two", "--json").lines)
    assert [] == shell.done("order", "list", "--json").lines


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("database = sqlite", "bad_configuration"),
        ('databse = "x"', "unknown_key: 'databse'"),
        ("database = 3", "wrong_type: database"),
        ('[plugins]\nonly = "taobao"', "plugins.only"),
        ("[plugins]\nonly = [3]", "plugins.only"),
        ("[plugins]\nolny = []", "plugins.olny"),
        ("[movers]\nfile = 3", "movers.file"),
        ("[movers.file]\nout = 3", "movers.file"),
    ],
)
def test_a_wrong_setting_is_named(shell: Shell, text: str, said: str) -> None:
    (shell.folder / FILE).write_text(text)
    answer = shell("order", "list")
    assert answer.status == 2
    assert answer.err.startswith(f"reverseflow: {FILE}: ")
    assert said in answer.err


def test_a_settings_file_that_is_no_utf8_is_refused(shell: Shell) -> None:
    (shell.folder / FILE).write_bytes(b'actor = "operations:\xe9"\n')
    assert shell("order", "list").status == 2


def test_a_folder_without_a_store_is_told_how_to_make_one(shell: Shell) -> None:
    answer = shell("ticket", "list")
    assert answer.status == 2
    assert "no_store" in answer.err and "reverseflow init" in answer.err


@pytest.mark.parametrize("url", ["mongodb://x/y", "://", "sqlite:///no/such/folder/x.db", "."])
def test_a_url_that_is_no_store_is_a_usage_error(shell: Shell, url: str) -> None:
    answer = shell("run", shell.write("in.jsonl", order()), "--db", url)
    assert answer.status == 2
    assert answer.err.startswith("reverseflow: ")


@pytest.mark.parametrize("text", ["noon", "2026-05-01T10:00:00"])
def test_now_is_a_time_with_an_offset(shop: Shell, text: str) -> None:
    assert shop("ticket", "list", "--now", text).status == 2


# --- the schema -----------------------------------------------------------------------------------


def test_the_schema_of_a_new_store_is_this_version_s(shop: Shell) -> None:
    answer = shop.done("db", "status", "--json")
    assert {"schema": SCHEMA_HEAD, "wanted": SCHEMA_HEAD} == answer.document
    assert SCHEMA_HEAD in shop.done("db", "upgrade").out


def _at_schema(folder: Path, version: str) -> None:
    with sqlite3.connect(folder / "reverseflow.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()


def test_a_store_of_a_newer_version_is_left_alone(shop: Shell) -> None:
    _at_schema(shop.folder, "9999")
    for command in (("db", "status"), ("db", "upgrade"), ("ticket", "list"), ("run", "input.jsonl")):
        answer = shop(*command)
        assert answer.status == 9, answer
    assert "update the program" in shop("ticket", "list").err


def test_a_database_without_tables_is_told_to_be_upgraded(shell: Shell) -> None:
    sqlite3.connect(shell.folder / "reverseflow.db").close()
    (shell.folder / "reverseflow.db").touch()
    assert shell("db", "status").status == 9
    answer = shell("ticket", "list")
    assert answer.status == 9
    assert "reverseflow db upgrade" in answer.err
    shell.done("db", "upgrade")
    shell.done("ticket", "list")
