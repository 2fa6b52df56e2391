"""What a person sees who asks for help, or writes something slightly wrong."""
import re

import pytest

VERBS = [
    "ingest", "feed", "feed list", "feed show", "feed check", "feed draft", "query", "profile",
    "top", "portfolio", "gaps", "history", "registers", "changes", "compare", "time-of-use",
    "base-load", "late", "tariff", "tariff check", "meters", "deliveries",
    "deliveries show", "withdraw", "erase", "lint", "serve", "demo", "keys", "keys create",
    "keys list", "keys revoke", "audit", "audit check", "audit hash", "export", "store",
    "store init", "store prune", "store check", "store repair", "store stats", "version", "help",
]


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_terminal_and_shows_an_example(meterline, verb):
    text = meterline(*verb.split(), "--help").out
    assert max(map(len, text.splitlines())) <= 80, text
    assert "METERLINE_" not in text
    assert f"Example:\n  meterline {verb.split()[0]}" in text
    assert meterline("help", *verb.split()).out == text


def test_the_first_help_lists_every_verb(meterline):
    text = meterline("--help").out
    assert max(map(len, text.splitlines())) <= 80
    listed = re.findall(r"^  ([a-z-]+) ", text[text.index("Subcommands:"):], re.MULTILINE)
    assert set(listed) >= {verb.split()[0] for verb in VERBS}
    assert meterline("help").out == text


def test_defaults_are_shown(meterline):
    text = " ".join(meterline("serve", "--help").out.split())
    assert "--listen TEXT ADDRESS:PORT; port 0 takes any free one (default: 127.0.0.1:8080)" in text
    assert "--from TEXT First day, yyyy-MM-dd (required)" in " ".join(
        meterline("query", "--help").out.split())


def test_all_help_has_the_names_of_the_environment(meterline):
    text = " ".join(meterline("--help-all").out.split())
    assert "[METERLINE_FINDINGS_MAX]" in text and "[METERLINE_ANSWER_UNIT]" in text


def test_the_version_is_asked_for_in_three_ways(meterline):
    told = {meterline(*args).out for args in (["-V"], ["--version"], ["version"])}
    assert len(told) == 1 and told.pop().startswith("meterline ")


@pytest.mark.parametrize("args, message", [
    (["qurey", "A"], "not expected: qurey (did you mean query?); `meterline --help` tells"),
    (["deliver"], "not expected: deliver (did you mean deliveries?)"),
    (["store", "chek"], "not expected: chek (did you mean check?); `meterline store --help` tells"),
    (["store"], "meterline: store: say what of it: init, prune, backup, restore, check, "
     "repair, stats; "),
    (["meters", "--limt", "4"], "not expected: --limt (did you mean --limit?)"),
    (["meters", "--limt=4"], "not expected: --limt=4 (did you mean --limit?)"),
    (["query", "A", "--frm", "2019-01-01"], "not expected: --frm (did you mean --from?)"),
    (["meters", "--stroe", "x"], "not expected: --stroe (did you mean --store?)"),
    (["meters", "--xylophone"], "not expected: --xylophone; `meterline meters --help` tells"),
    (["help", "chek"], "there is no verb chek; `meterline --help` lists them"),
    (["help", "store", "chek"], "there is no verb chek (did you mean check?)"),
])
def test_what_may_have_been_meant_is_told(meterline, args, message):
    done = meterline(*args, expect=2)
    assert message in done.err and done.err.count("\n") == 1
