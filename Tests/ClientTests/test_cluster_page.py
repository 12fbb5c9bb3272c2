"""The operator's page of an instance that is one of several."""
import os
import shutil

import pytest

from redis import redis  # noqa: F401
from service import CLIENT, Service, aggregator, eventually, provider  # noqa: F401
from test_dashboard import CONTRAST, NAMES, TOO_WIDE, browser, keep_picture, open_page  # noqa: F401

pytestmark = pytest.mark.skipif(
    not (os.environ.get("OCIAI_CHROMIUM") or shutil.which("chromium")), reason="*** Chromium is not installed: the dashboard is not tested in a browser")

PANEL = "[...document.querySelectorAll('main section')].find((each) => each.querySelector('h2')?.textContent === %r && each.checkVisibility())"
ROWS = f"[...{PANEL % 'Instances'}.querySelectorAll('tbody tr')].map((row) => row.innerText)"


@pytest.fixture
def instances(tmp_path, redis, provider):  # noqa: F811
    made = [Service(tmp_path / f"i{number}", aggregator(provider, shared_state=f"unix://{redis.path}", local_access=True)).start() for number in range(2)]
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def alone(tmp_path, provider):  # noqa: F811
    one = Service(tmp_path / "alone", aggregator(provider, local_access=True)).start()
    yield one
    one.stop()


@pytest.fixture
def page(browser):  # noqa: F811
    page = browser.page()
    page.size(1440, 900)
    yield page
    errors, violations = page.errors, page.violations
    page.close()
    assert errors == [] and violations == []


def test_instances_are_shown_and_their_engine_too(instances, redis, page):  # noqa: F811
    page.base = instances[0].url
    open_page(page)
    page.wait_for(f"{PANEL % 'Instances'}?.querySelectorAll('tbody tr').length === 2", seconds=20)
    rows = page.evaluate(ROWS)
    assert sum("this one" in row for row in rows) == 1 and all("Healthy" in row for row in rows), rows
    # A new engine gives nothing for one lease.
    page.wait_for(f"{PANEL % 'Instances'}.innerText.includes('2 instances share their limits.')", seconds=20)
    keep_picture(page, "cluster")
    assert page.evaluate(NAMES) == [] and page.evaluate(CONTRAST) == []
    redis.kill()
    page.wait_for(f"{PANEL % 'Instances'}.innerText.includes('one of 2')", seconds=20)
    assert "cannot be reached" in page.evaluate(f"{PANEL % 'Instances'}.innerText")
    assert "their engine does not help" in page.evaluate("document.getElementById('sentence-text').textContent")
    keep_picture(page, "cluster-degraded")
    assert page.evaluate(CONTRAST) == []
    page.size(320, 900)
    keep_picture(page, "cluster-narrow")
    assert page.evaluate(TOO_WIDE) == []
    page.size(1440, 900)
    open_page(page, "zh-CN")
    page.wait_for(f"{PANEL % '实例'}")
    keep_picture(page, "cluster-chinese")
    assert page.evaluate(f"/[a-z]+\\.[a-z]+/.test({PANEL % '实例'}.querySelector('h2').textContent)") is False
    redis.start()
    eventually(lambda: instances[0].ask("/health").json["shared_state"], lambda state: state == "shared")


def test_an_instance_alone_has_no_panel(alone, page):
    page.base = alone.url
    open_page(page)
    page.wait_for("document.querySelector('main tbody tr')")
    assert not page.evaluate(f"Boolean({PANEL % 'Instances'})")
