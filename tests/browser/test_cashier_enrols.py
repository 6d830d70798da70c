"""A new member on the cashier page: consents apart and never ticked, a card made at once, a phone verified by a code."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from pos_loyalty.config import CardConfig
from tests.browser import serving as web_serving
from tests.browser.pages import needs_browser, opened, watched
from tests.browser.serving import serving
from tests.emulators.code_gateway import CodeGateway
from tests.shop import CONFIG, Shop

pytestmark = needs_browser
OWN = 'own_prefix = "2291"\nsymbologies = ["ean13", "qr"]\n'


def test_a_member_is_enrolled_and_their_phone_verified(browser: Browser, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    card = CardConfig(prefix="22", length=13, own_prefix="2291", symbologies=("ean13", "qr"))
    monkeypatch.setattr(web_serving, "SHOP", replace(web_serving.SHOP, cards=(card,), verifies_phones=True))
    with CodeGateway() as gateway:
        shop = Shop(tmp_path, CONFIG + OWN + f'[phone]\nverify = true\n[phone.gateway]\nurl = "{gateway.url}"\n')
        with serving(shop.till, shop.till.rule_titles) as web, watched(opened(browser, web)) as page:
            page.locator("#enrol summary").click()
            expect(page.locator("#enrol-data")).not_to_be_checked()
            expect(page.locator("#enrol-advertising")).not_to_be_checked()
            page.locator("#enrol-phone").fill("8 900 123-45-67")
            page.locator("#enrol-new-card").check()
            page.locator("#enrol-data").check()
            page.locator("#enrol-form button[type=submit]").click()
            expect(page.locator("#member")).to_contain_text("Телефон не подтверждён")
            code = json.loads(gateway.wait(1))["code"]
            page.locator("#code").fill("000000" if code != "000000" else "111111")
            page.locator("#code").press("Enter")
            expect(page.locator("#alarm")).to_contain_text("tries left: 4")
            page.locator("#code").fill(code)
            page.locator("#code").press("Enter")
            expect(page.locator("#notice")).to_have_text("Телефон подтверждён")
            expect(page.locator("#code-form")).to_be_hidden()
        assert shop.db.execute("SELECT purpose, given FROM member_consent").fetchall() == [("data", 1)]
        assert shop.db.execute("SELECT COUNT(*) FROM card WHERE number GLOB '2291*'").fetchone()[0] == 1
        shop.close()
