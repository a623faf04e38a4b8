# SPDX-License-Identifier: GPL-2.0-only
"""The page of a run, as a browser shows it."""
import html
import json
import re

import pytest

from lab import browser, report, report_page
from lab.tests.test_report import PAIRS_OF_MODULE, STATS, TD, result  # noqa: F401
from lab.tests.test_trace import LINES

EVIL = "</script><script>document.body.dataset.evil = 1</script><img src=x onerror=\"document.body.dataset.evil = 1\">"


@pytest.fixture
def shown(result, tmp_path):  # noqa: F811
    """shown(wanted_tds, ...): what the browser makes of a run's page."""
    def show(wanted_tds=0, **boot):
        summary = report.collect(result(**boot), "series", "7.2.12", wanted_tds, {"vcpus": 2, "memory_mb": 1024})
        page = tmp_path / "report.html"
        report.write(report_page.page(summary, tmp_path / "trace.txt"), page)
        return browser.dom(page, tmp_path / "profile")
    return show


def verdict(dom):
    return re.search(r'<h1 id="verdict" class="(\w+)">(.*?)</h1>', dom).groups()


def rows(dom, table):
    """The cells of each row of a table."""
    body = re.search(rf'<table id="{table}">(.*?)</table>', dom, re.S)[1]
    return [[html.unescape(re.sub(r"<[^>]*>", "", cell)) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", body, re.S)]


def cards(dom):
    return dict((name, value) for value, name in
                re.findall(r'<div class="card[^"]*"><b>(.*?)</b><span>(.*?)</span></div>', dom))


def test_good_run(shown):
    leaves = {"TDH.SYS.INIT": STATS["leaves"]["TDH.SYS.INIT"],
              "TDH.VP.ENTER": {"calls": 1234, "errors": 1, "injected": 0, "ns": 10**9}}
    dom = shown(1, output=json.dumps(TD) + "\n", calls=LINES, stats=STATS | {"leaves": leaves, "pamt_pairs": 1})
    assert verdict(dom) == ("good", "TDX host up, 1 TDs launched, all is well")
    assert 'data-ready="yes"' in dom and "data-error" not in dom
    assert f'data-calls="{LINES.count("cpu")}"' in dom
    assert cards(dom)["SEAMCALLs"] == "1,235" and cards(dom)["leaked pages"] == "0"
    tds = rows(dom, "tds")
    assert tds[1][:8] == ["0", "2", "16", "29", "3584", "32", "ok", "ok"]
    assert tds[1][-1] == "hello from vCPU 0\nhello from vCPU 1"
    assert [row[0] for row in rows(dom, "leaves")[1:]] == ["TDH.VP.ENTER", "TDH.SYS.INIT"]
    assert rows(dom, "leaves")[1][4] == "1000.00"


def test_failed_run(shown):
    dom = shown(2, output=json.dumps(TD | {"ok": False, "error": "no KeyID"}) + "\n")
    assert verdict(dom) == ("bad", "The run failed")
    assert "1 of 2 TDs reported" in dom and "TD 0: no KeyID" in dom
    assert rows(dom, "tds")[1][-1] == "no KeyID"
    assert 'data-ready="yes"' in dom


def test_violations_and_complaints(shown):
    dom = shown(console="WARNING: at tdx.c\n", stats=STATS | {"violations": 3})
    assert "kernel: WARNING: at tdx.c" in dom
    assert cards(dom)["violations"] == "3"


def test_what_is_not_known_is_not_shown_as_good(shown):
    dom = shown(stats={})
    assert verdict(dom)[0] == "bad" and 'data-ready="yes"' in dom
    assert cards(dom)["violations"] == cards(dom)["leaked pages"] == "not known"


def test_run_without_calls_or_tds(shown):
    dom = shown()
    assert verdict(dom)[0] == "good" and 'data-ready="yes"' in dom
    assert 'data-calls="0"' in dom


def test_what_guests_print_is_text(shown):
    dom = shown(1, output=json.dumps(TD | {"said": [EVIL, EVIL]}) + "\n", calls=PAIRS_OF_MODULE)
    assert "data-evil" not in re.sub(r"<script.*?</script>", "", dom, flags=re.S).split("<main>")[0]
    assert rows(dom, "tds")[1][-1] == EVIL * 2
    assert 'data-ready="yes"' in dom


def test_page_needs_nothing_else(result, tmp_path):  # noqa: F811
    summary = report.collect(result(), "series", "7.2.12")
    text = report_page.page(summary, tmp_path / "trace.txt")
    assert not re.search(r"""(src|href)=|@import|url\(|https?://""", text)


def test_a_broken_page_says_so(result, tmp_path):  # noqa: F811
    """What the tests above look for is really there when a script fails."""
    summary = report.collect(result(), "series", "7.2.12")
    del summary["pamt"]["measured"], summary["seamcalls"]
    page = tmp_path / "report.html"
    page.write_text(report_page.page(summary, tmp_path / "trace.txt"))
    dom = browser.dom(page, tmp_path / "profile")
    assert "This page is broken" in dom and "data-error" in dom and "data-ready" not in dom
