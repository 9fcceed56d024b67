"""The pages of cases and parties, as HTML without scripts."""

import re
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detector.adapters.duckdb.store import DuckDBStore
from detector.console.access.sessions import COOKIE
from detector.console.app import build_app
from detector.console.context import assemble
from detector.console.settings import ConsoleSettings
from tests.build import (
    PERTH,
    SHIPPED,
    alert,
    card_event,
    cash,
    login,
    online,
    profile,
    records,
    stored,
)
from tests.build import transaction as paid
from tests.console.backlog import KIM
from tests.console.harness import LOCALHOST, ROOT, Harness
from tests.people import act

HOSTILE = '"><script>alert(1)</script>'
LONG = "ж" * 64
LINKS_OF_A_KIND = 5
CITY = "Wagga <b>Wagga</b> 東京 " + "x" * 70


@pytest.fixture(scope="module")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bank's console, to be looked at only."""
    with closing(Harness(tmp_path_factory.mktemp("harness"))) as harness:
        yield harness


class Outline(HTMLParser):
    """Checks that tags nest, and collects ids, scripts and links."""

    VOID = frozenset(
        {
            "meta",
            "link",
            "input",
            "br",
            "img",
            "use",
            "path",
            "circle",
            "rect",
            "line",
            "polyline",
        }
    )

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "script":
            self.scripts.append(found)
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        assert not any(name.startswith("on") for name in found), (tag, found)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"


def page(client: TestClient, path: str) -> Outline:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.text[:300])
    outline = Outline(answer.text)
    assert len(outline.ids) == len(set(outline.ids)), "an id stands twice"
    for script in outline.scripts:
        assert script.get("src") or script.get("type") == "application/json"
    return outline


def test_pages_nest_and_their_links_lead_somewhere(harness: Harness) -> None:
    """The links of the queue, a case, an account and a customer answer: on every page
    the first few of each kind that no page before had."""
    client = harness.person("sam")
    seen: set[str] = set()
    todo = ["/cases", "/signals", "/accounts/acc-1", "/customers/cust-1", "/search?q=shop-online"]
    todo += [f"/cases/{case['case_id']}" for case in harness.cases()]
    for path in todo:
        links: dict[str, list[str]] = {}
        for link in dict.fromkeys(page(client, path).links):
            if link not in seen and not link.startswith(("#", "?")) and link != "/logout":
                links.setdefault(link.split("/")[1], []).append(link)
        for link in [link for kind in links.values() for link in kind[:LINKS_OF_A_KIND]]:
            seen.add(link)
            assert client.get(link).status_code in (200, 303), (path, link)
    assert len(seen) > 50


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A console over a bank with hostile, long, foreign and missing values in every free field."""
    path: Path = tmp_path_factory.mktemp("odd") / "fraud.duckdb"
    who = {"customer_id": HOSTILE, "device_id": HOSTILE, "ip_address": HOSTILE}
    shop = {"merchant_id": HOSTILE, "city": CITY, "card_token": "tok_odd"}
    events: list[Any] = [
        profile(0, HOSTILE, accounts=[HOSTILE, LONG, "a/b?c#d"], devices=[HOSTILE, LONG]),
        card_event(1, card_token="tok_odd", account_id=HOSTILE, customer_id=HOSTILE),
        *(online(10 + n, HOSTILE, amount="0.00", **who, **shop) for n in range(12)),
        *(login(30 + n, HOSTILE, ip_address=HOSTILE, device_id=LONG) for n in range(4)),
        alert(40, HOSTILE, rule_id=HOSTILE),
        *(
            cash(50 + n, "a/b?c#d", customer_id=LONG, amount="6100.00", currency="USD")
            for n in range(3)
        ),
        paid(60, LONG, customer_id=LONG, card_token="tok_b", latitude=1.0, longitude=2.0),
        paid(61, LONG, customer_id=LONG, card_token="tok_b", **{**PERTH, "city": CITY}),
    ]
    stored(path, [records(events)])
    with closing(DuckDBStore(path, SHIPPED)) as store:
        people = store.people()
        settings = ConsoleSettings(_env_file=None)
        context = assemble(SHIPPED, settings, store, people, b"key")
        user = people.users.add(ROOT, "sam", "supervisor", "!", False)
        client = TestClient(build_app(context), LOCALHOST, follow_redirects=False)
        client.cookies.set(COOKIE, context.sessions._session(user, "n").token)
        for case in store.rows("SELECT * FROM mv_open_fraud_cases"):
            act(people, KIM, case, "note", text=HOSTILE)
        yield client


def test_odd_data_is_shown_as_what_it_is(odd: TestClient) -> None:
    """Nothing that came from outside becomes markup, and nothing missing breaks a page."""
    cases = odd.get("/v1/cases").json()["cases"]
    assert {name for c in cases for name in c["account_ids"]} == {HOSTILE, LONG, "a/b?c#d"}
    paths = ["/cases", "/signals", f"/cases?q={LONG}", f"/search?q={LONG}"]
    paths += [f"/cases/{c['case_id']}" for c in cases]
    links = {link for path in paths for link in page(odd, path).links}
    parties = {link for link in links if link.startswith(("/accounts/", "/customers/"))}
    assert len(parties) > 3
    for link in parties:
        page(odd, link)


def test_another_currency_is_not_called_dollars(odd: TestClient) -> None:
    """An amount in US dollars says so."""
    text = odd.get("/accounts/a%2Fb%3Fc%23d").text
    assert re.search(r"USD 6,100\.00", text)


def test_a_closed_case_and_one_that_waits_say_so(tmp_path: Path) -> None:
    """Who proposed what, who may agree, and how it ended, in words on the page."""
    with closing(Harness(tmp_path)) as harness:
        (case,) = harness.cases("critical")
        path = f"/cases/{case['case_id']}"
        act(
            harness.people,
            KIM,
            case,
            "close",
            disposition="CONFIRMED_SCAM",
            text="<i>they</i> paid",
        )
        kim, sam, vic = (harness.person(name).get(path).text for name in ("kim", "sam", "vic"))
        assert "kim proposed to close it as confirmed scam" in kim
        assert "Another person who may approve must agree" in kim
        assert "You can approve or reject" in sam
        assert "&lt;i&gt;they&lt;/i&gt; paid" in sam
        assert "data-act=" not in vic and 'id="dialog-' not in vic
        harness.person("sam").post(f"/v1{path}/actions", json={"action": "approve"})
        assert "Closed as confirmed scam" in harness.person("kim").get(path).text
        seen = harness.person("vic").get(path).text
        assert "Closed" in seen and "confirmed scam" not in seen


def test_the_report_is_offered_only_to_those_who_may_read_it(harness: Harness) -> None:
    """An analyst finds no trace of reports on the page of a structuring case."""
    (case,) = [c for c in harness.cases() if c["account_ids"] == "acc-4"]
    path = f"/cases/{case['case_id']}"
    assert "SMR" in harness.person("sam").get(path).text
    assert "smr" not in harness.person("kim").get(path).text.lower()


def test_a_search_with_one_find_goes_there(harness: Harness) -> None:
    """An account, customer or event is opened at once; a card lists who used it."""
    client = harness.person("vic")
    answer = client.get("/search?q=acc-3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/acc-3")
    assert "acc-3" in client.get("/search?q=card-3").text


def test_the_address_carries_the_filters(harness: Harness) -> None:
    """Chips toggle their own filter and keep the others; the form keeps what it does not ask."""
    html = harness.person("kim").get("/cases?level=high&pattern=velocity&sort=due").text
    links = [link.replace("&amp;", "&") for link in Outline(html).links]
    assert "/cases?pattern=velocity&sort=due" in links
    assert "/cases?level=high&sort=due" in links
    assert "/cases?level=high&level=critical&pattern=velocity&sort=due" in links
    form = html.partition('id="queue-form"')[2].partition("</form>")[0]
    assert '<input type="hidden" name="level" value="high">' in form
    assert '<input type="hidden" name="pattern" value="velocity">' in form
