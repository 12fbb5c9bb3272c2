"""The operator's page in a real browser, over a proxy with three accounts, forty models, two hundred keys and a hundred thousand rows.

OCIAI_CHROMIUM may name the browser, and OCIAI_DASHBOARD_PICTURES a directory for pictures of each view.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import crowded
from browser import Browser
from service import CLIENT, VIEWER, ask, eventually

PICTURES = os.environ.get("OCIAI_DASHBOARD_PICTURES")
VIEWS = ["now", "requests", "history", "keys", "models", "money"]
VIEWS_AND_STORY = [*VIEWS, "request=req_00099999"]

pytestmark = pytest.mark.skipif(
    not (os.environ.get("OCIAI_CHROMIUM") or shutil.which("chromium")), reason="*** Chromium is not installed: the dashboard is not tested in a browser")


@pytest.fixture(scope="session")
def crowd(oci, tmp_path_factory):
    """A proxy with much to show; the page needs no key from here."""
    simulator, config = oci
    ask(simulator.url, "/__control/reset", {})
    service = crowded.start(tmp_path_factory.mktemp("crowd") / "proxy", config)
    service.simulator = simulator.url
    for number in range(5):
        assert service.ask("/v1/chat/completions", {"model": "grok-4", "messages": [{"role": "user", "content": "x"}]}, CLIENT, x_request_id=f"live-{number}").status == 200
    yield service
    service.stop()
    ask(simulator.url, "/__control/reset", {})


# What a screen reader would call an element, as far as this page needs it.
NAMES = """
[...document.querySelectorAll('button, input, select, textarea, a[href], summary, dialog, nav, [role=img], [role=region], [role=search]')]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const label = element.getAttribute('aria-label') || (element.labels && [...element.labels].map((each) => each.innerText).join(' '));
    const own = /^(BUTTON|A|SUMMARY)$/.test(element.tagName) ? element.innerText : '';
    return !(label || own || '').trim();
  }).map((element) => element.outerHTML.slice(0, 200))
"""

HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))"

# The contrast of each text with the first ground behind it that is not transparent. Colours go through a canvas, which knows every notation.
CONTRAST = """
(() => {
  const context = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      known.set(colour, [...context.getImageData(0, 0, 1, 1).data]);
    }
    return known.get(colour);
  };
  const light = ([r, g, b]) => {
    const part = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = rgba(getComputedStyle(each).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme.includes('dark') ? 'black' : 'white');
  };
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('.unseen, svg, noscript, option, datalist, :disabled, script')) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) poor.push(contrast.toFixed(2) + ' ' + element.tagName + '.' + element.className + ' ' + walker.currentNode.data.slice(0, 40));
  }
  return [...new Set(poor)].slice(0, 10);
})()
"""

TOO_WIDE = """
document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scroller')).slice(0, 5).map((each) => each.outerHTML.slice(0, 120))
"""

FOCUSED = "(() => { const e = document.activeElement; return (e.getAttribute('aria-label') || e.labels?.[0]?.querySelector('span')?.textContent || e.innerText || e.id || '').trim().split('\\n')[0]; })()"


@pytest.fixture(scope="session")
def browser():
    browser = Browser(language="en-US")
    yield browser
    browser.close()


@pytest.fixture
def page(browser, crowd):
    """The page, open and live, in English. Afterwards: nothing in the console, nothing forbidden, nobody else asked."""
    page = browser.page()
    page.base = crowd.url
    page.size(1440, 900)
    open_page(page)
    yield page
    errors, violations, requests = page.errors, page.violations, page.requests
    page.close()
    own = urlsplit(crowd.url)
    assert errors == []
    assert violations == []
    assert [url for url in requests if url.startswith("http") and urlsplit(url).netloc != own.netloc] == []


def open_page(page, language="en", hash="now"):
    page.open(f"{page.base}/dashboard#{hash}")
    page.evaluate(f"localStorage.setItem('ociai-proxy.language', '{language}')")
    page.open(f"{page.base}/dashboard#{hash}")
    page.wait_for("document.getElementById('sentence-text')?.textContent")


def show(page, view):
    page.go(f"#{view}")
    page.wait_for(f"location.hash === '#{view}' && document.querySelector('main h1')?.textContent")
    # Until something has come: rows, steps, or a word why there are none.
    page.wait_for("!document.querySelector('[aria-busy]') && [...document.querySelectorAll('main tbody tr, main .steps li, main .notice, main .empty')].some((each) => each.checkVisibility())")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")


def keep_picture(page, name):
    if PICTURES:
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.picture(Path(PICTURES) / f"{name}.png")


def test_everything_has_a_name_and_headings_descend_by_one(page):
    for view in VIEWS_AND_STORY:
        looks_right(page, view)


def looks_right(page, view):
    show(page, view)
    assert page.evaluate(NAMES) == []
    levels = page.evaluate(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    tables = page.evaluate("[...document.querySelectorAll('main table')].filter((table) => !table.caption?.textContent || table.querySelector('thead th:not([scope=col])')).length")
    assert tables == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page, theme):
    page.prefer(prefers_color_scheme=theme)
    for view in VIEWS_AND_STORY:
        show(page, view)
        keep_picture(page, f"{theme}-{view.split('=')[0]}")
        assert page.evaluate(CONTRAST) == [], view


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_narrow_page_does_not_scroll_sideways(page, language):
    open_page(page, language)
    page.size(320, 900)
    for view in VIEWS_AND_STORY:
        show(page, view)
        keep_picture(page, f"narrow-{language}-{view.split('=')[0]}")
        assert page.evaluate(TOO_WIDE) == [], view


@pytest.mark.parametrize("width", [768, 1024, 1280])
def test_nor_does_a_wider_one(page, width):
    page.size(width, 900)
    for view in VIEWS_AND_STORY:
        show(page, view)
        assert page.evaluate(TOO_WIDE) == [], view


def test_tab_goes_through_the_head_into_the_view(page):
    show(page, "now")
    page.evaluate("document.activeElement.blur()")
    page.evaluate("getSelection().removeAllRanges()")
    reached = []
    for _ in range(14):
        page.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement.id === 'skip'")
    start = reached.index("Skip to the content")
    assert reached[start:start + 9] == ["Skip to the content", "ociai-proxy", "Now", "Requests", "Keys", "Models", "Money", "Theme", "Language"]


def test_the_skip_link_leads_into_the_view(page):
    page.evaluate("document.getElementById('skip').focus()")
    page.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_new_view_takes_the_focus_to_its_title(page):
    show(page, "keys")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.evaluate("document.querySelector('#nav [aria-current]').dataset.view") == "keys"
    assert page.evaluate("document.title").endswith("Keys · ociai-proxy")


def test_the_language_can_be_changed_and_is_kept(page):
    change = "(() => { const s = document.getElementById('language'); s.value = %r; s.dispatchEvent(new Event('change', {bubbles: true})); })()"
    page.evaluate(change % "zh-CN")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    for view in VIEWS_AND_STORY:
        show(page, view)
        keep_picture(page, f"chinese-{view.split('=')[0]}")
        assert page.evaluate("/[\\u4e00-\\u9fff]/.test(document.querySelector('h1').textContent)")
        # A name without a word for it would stand there as it is.
        assert page.evaluate("[...document.querySelectorAll('main h1, main h2, thead th, button, label, dt')].map((e) => e.textContent).filter((text) => /^[a-zA-Z]+\\.[a-zA-Z]+$/.test(text))") == []
    page.call("Page.reload")
    page.wait_for("document.documentElement?.lang === 'zh-CN' && document.querySelector('h1')")


def test_the_theme_can_be_changed(page):
    ground = "getComputedStyle(document.body).backgroundColor"
    page.prefer(prefers_color_scheme="light")
    before = page.evaluate(ground)
    page.evaluate("(() => { const s = document.getElementById('theme'); s.value = 'dark'; s.dispatchEvent(new Event('change')); })()")
    assert page.evaluate(ground) != before
    page.evaluate("localStorage.removeItem('ociai-proxy.theme')")


def test_updates_leave_focus_selection_and_scroll_alone(page):
    page.size(1024, 600)
    show(page, "now")
    page.evaluate("""(() => {
      const link = document.querySelector('tbody a');
      link.focus();
      getSelection().selectAllChildren(link);
      window.scrollTo(0, 120);
      window.kept = link;
    })()""")
    before = page.evaluate("[getSelection().toString(), scrollY]")
    page.evaluate("new Promise((done) => setTimeout(done, 3500))")
    assert page.evaluate("window.kept.isConnected && document.activeElement === window.kept")
    assert page.evaluate("[getSelection().toString(), scrollY]") == before


def test_a_dialog_stays_open_and_gives_the_focus_back(page):
    if page.evaluate("fetch('/dashboard/session').then((a) => a.json()).then((who) => who.role)") != "admin":
        pytest.skip("only an administrator has dialogs")
    show(page, "now")
    page.evaluate("document.querySelector('main .buttons button').focus()")
    page.press("Enter")
    page.wait_for("document.querySelector('dialog[open]')")
    page.evaluate("new Promise((done) => setTimeout(done, 2500))")
    assert page.evaluate("Boolean(document.querySelector('dialog[open]').contains(document.activeElement))")
    assert page.evaluate(NAMES) == []
    assert page.evaluate(CONTRAST) == []
    keep_picture(page, "dialog")
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog')")
    assert page.evaluate("document.activeElement === document.querySelector('main .buttons button')")


def test_no_key_is_in_the_storage_or_in_the_address(page):
    for view in VIEWS:
        show(page, view)
    assert page.evaluate("Object.keys(localStorage).every((name) => ['ociai-proxy.language', 'ociai-proxy.theme'].includes(name))")
    assert page.evaluate("sessionStorage.length") == 0
    assert not [url for url in page.requests if "oci-" in urlsplit(url).query]


def test_a_filter_stands_in_the_address_and_in_both_lists(page):
    show(page, "requests")
    page.evaluate("document.querySelector('.filters input').focus()")
    page.type("team-001")
    page.wait_for("location.hash.includes('key=team-001')")
    page.evaluate("document.querySelectorAll('.tabs a')[1].click()")
    page.wait_for("location.hash.startsWith('#history?') && document.querySelector('.filters input').value === 'team-001'")


# With the proxy behind it


def test_a_broken_account_shows_by_itself(page, crowd):
    show(page, "now")
    page.wait_for("document.getElementById('sentence-text').textContent.includes('3')")
    ask(crowd.simulator, "/__control/faults", {"action": "status", "status": 500, "account": "account_2", "kind": "chat", "times": "forever"})
    try:
        for _ in range(40):
            crowd.chat(CLIENT, "grok-4")
            if crowd.ask("/dashboard/state", key=VIEWER).json["level"] == "degraded":
                break
        page.wait_for("[...document.querySelectorAll('main tbody tr')].some((row) => row.innerText.includes('account_2') && /Breaker open|Cooling down/.test(row.innerText))", seconds=2)
        assert "account_2" in page.evaluate("document.getElementById('sentence-text').textContent")
        keep_picture(page, "broken")
        # It is well again, and the operator does not wait for the breaker.
        ask(crowd.simulator, "/__control/reset", {})
        page.evaluate("document.querySelector('main [aria-label=\"Reset breaker: account_2\"]').click()")
        page.wait_for("document.querySelector('dialog[open]')?.innerText.includes('account_2')")
        page.evaluate("document.querySelector('dialog[open] button[type=submit]').click()")
        page.wait_for("!document.querySelector('dialog[open]') && [...document.querySelectorAll('main tbody tr')].some((row) => row.innerText.includes('account_2') && row.innerText.includes('Ready'))", seconds=3)
    finally:
        ask(crowd.simulator, "/__control/reset", {})
        assert page.evaluate("fetch('/admin/circuit-breaker/reset', {method: 'POST', headers: {'x-ociai-dashboard': '1'}}).then((answer) => answer.status)") == 200
    eventually(lambda: crowd.ask("/dashboard/state", key=VIEWER).json["level"], lambda level: level == "ok")


def test_the_ledger_is_there_with_all_its_rows_and_hostile_names_are_text(page, crowd):
    show(page, "history")
    page.wait_for("document.querySelectorAll('main tbody tr').length >= 50")
    title = page.evaluate("document.title")
    show(page, "money")
    assert page.evaluate("document.querySelectorAll('main svg').length") >= 1
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert crowded.HOSTILE in page.evaluate("document.body.innerText") and page.evaluate("document.title") != "1" and title != "1"


def test_a_key_is_made_shown_once_and_taken_back(page, crowd):
    show(page, "keys")
    page.wait_for("document.querySelectorAll('main tbody tr').length >= 100")
    press = "[...document.querySelectorAll(%r)].find((button) => button.textContent.trim() === %r).click()"
    page.evaluate(press % ("main button", "Create key"))
    page.wait_for("document.querySelector('dialog[open] input')")
    page.evaluate("document.querySelector('dialog[open] input').focus()")
    page.type("from-the-page")
    page.evaluate(press % ("dialog button", "Create key"))
    shown = "[...document.querySelectorAll('dialog[open] input, dialog[open] code')].map((each) => each.value || each.textContent).find((text) => text.startsWith('oci-'))"
    page.wait_for(shown)
    key = page.evaluate(shown)
    assert crowd.chat(key, "grok-4").status == 200
    page.evaluate(press % ("dialog button", "I have kept it"))
    page.wait_for("!document.querySelector('dialog[open]') && document.body.innerText.includes('from-the-page')")
    assert key not in page.evaluate("document.documentElement.outerHTML")
    # Another one takes its place at once.
    page.evaluate("document.querySelector('main [aria-label=\"Rotate: from-the-page\"]').click()")
    page.wait_for("document.querySelector('dialog[open] select')")
    page.evaluate("(() => { const s = document.querySelector('dialog[open] select'); s.value = '0s'; s.dispatchEvent(new Event('change', {bubbles: true})); })()")
    page.evaluate(press % ("dialog button", "Rotate"))
    page.wait_for(shown)
    after = page.evaluate(shown)
    assert after != key and crowd.chat(after, "grok-4").status == 200 and crowd.chat(key, "grok-4").status == 401
    page.evaluate(press % ("dialog button", "I have kept it"))
    page.wait_for("!document.querySelector('dialog[open]')")
    page.evaluate("document.querySelector('main [aria-label=\"Revoke: from-the-page\"]').click()")
    page.wait_for("document.querySelector('dialog[open]')")
    assert crowd.chat(after, "grok-4").status == 200, "nothing happens before it is confirmed"
    page.evaluate(press % ("dialog button", "Revoke"))
    page.wait_for("!document.querySelector('dialog[open]')")
    assert crowd.chat(after, "grok-4").status == 401
    assert after not in page.evaluate("document.documentElement.outerHTML")


def test_signing_in_from_elsewhere(browser, crowd):
    """By the machine's other name the local rule does not hold."""
    page = browser.page()
    page.base = crowd.url.replace("127.0.0.1", "dashboard.localhost")
    try:
        page.open(f"{page.base}/dashboard#now")
        page.evaluate("localStorage.setItem('ociai-proxy.language', 'en')")
        page.open(f"{page.base}/dashboard#now")
        page.wait_for("document.querySelector('input[type=password]')")
        keep_picture(page, "sign-in")
        page.evaluate("document.querySelector('input[type=password]').focus()")
        page.type(VIEWER)
        page.press("Enter")
        page.wait_for("document.getElementById('sentence-text')?.textContent && document.querySelectorAll('main tbody tr').length >= 3")
        assert page.evaluate("document.cookie") == "", "scripts do not see it"
        assert page.evaluate("fetch('/admin/circuit-breaker/reset', {method: 'POST', headers: {'x-ociai-dashboard': '1'}}).then((answer) => answer.status)") == 403
        assert VIEWER not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage}) + location.href")
    finally:
        page.close()
