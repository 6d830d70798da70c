"""The doctor's other looks: faulty files, queue, log, clock, peers, what is plugged in; both languages; tables of 80 columns."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import threading
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from drivers.finding import lasting_name, on_this_machine
from pos_loyalty.cli.doctor_table import as_table, rows
from pos_loyalty.cli.main import main
from pos_loyalty.clock import Reading
from pos_loyalty.config import Config
from pos_loyalty.i18n import WORDS
from pos_loyalty.salvage import kept_of, salvage
from pos_loyalty.store import prints, roads, trusted_time
from pos_loyalty.store.db import write
from pos_loyalty.store.guard import seller_of
from pos_loyalty.till import examined
from pos_loyalty.values import convert
from pos_loyalty.wiring import doctor, make_secrets
from tests.emulators.tcp_printer import TcpPrinter
from tests.shop import CONFIG, NOW, Shop
from tests.unit.test_doctor_devices import HEAD, free_port, seen, tcp, write_config

ROOT = Path(__file__).parents[2]


def codes(folder: Path, tables: str = "") -> dict[str, str]:
    return {row.part: row.code for row in rows(seen(folder, tables), "en")}


@contextlib.contextmanager
def office(status: int, date: datetime | None) -> Iterator[str]:
    """A head office that answers one thing, with a clock of its own."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response_only(status)
            if date is not None:
                self.send_header("Date", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            return

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f'[head_office]\nurl = "http://127.0.0.1:{server.server_port}"\n'
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TestAFaultyConfig:
    def test_the_rest_is_looked_at_all_the_same(self, tmp_path):
        with TcpPrinter() as printer:
            tables = "[[scanner]]\npath = 7\n[[scanner]]\nname = 'good'\npath = '/dev/none'\n" + tcp(printer.port)
            found = rows(seen(tmp_path, tables), "en")
        told = {row.name: row.code for row in found}
        assert told["printer"] == "printer.works" and told["good"] == "port.absent"
        assert any(row.code == "config.fault" and "scanner[0].path" in row.says for row in found)

    def test_every_faulty_table_is_named_at_once(self, tmp_path):
        known = salvage(
            write_config(tmp_path, "[camera]\nkind = 'x'\npath = 'y'\n[receipt]\nlanguage = 'fr'\n[printer]\nkind = 'tcp'\n")
        )
        assert {"camera", "receipt"} <= known.lost and known.config.printer is not None
        assert len(known.faults) == 2 and any("camera.kind" in fault for fault in known.faults)

    def test_a_store_or_till_that_cannot_be_read_leaves_the_devices(self, tmp_path):
        with TcpPrinter() as printer:
            path = write_config(tmp_path, tcp(printer.port), '[store]\nid = "a b"\nname = "x"\n')
            found = {row.part: row.code for row in rows(doctor.diagnose(path, root=tmp_path), "en")}
        assert found["printer"] == "printer.works" and found["config"] == "config.fault" and "database" not in found

    def test_whatever_stands_in_it_what_is_kept_is_a_config(self, tmp_path):
        whole = tomllib.loads((ROOT / "config.toml").read_text(encoding="utf-8"))
        whole |= {"scanner": [{"path": "/dev/a"}], "printer": {"kind": "tcp"}, "camera": {"kind": "v4l", "path": "0"}}
        odd = [
            5,
            "x",
            True,
            [],
            {},
            [5],
            [{}],
            [[{}]],
            [{"kind": "tcp"}],
            {"kind": 7},
            {"path": "/dev/b"},
            [{"path": "/dev/b"}, 5],
        ]
        for name, value in itertools.product(whole, odd):
            known = kept_of({**whole, name: value}, ())
            assert convert(msgspec.to_builtins(known.config), Config) == known.config, (name, value)
            untouched = {other for other in whole if other != name}
            assert not untouched & known.lost, (name, value)

    @pytest.mark.parametrize("text", ["[store", "\x00", "store = 5\n", "[printer]\nkind = 3\n"])
    def test_no_config_is_too_broken(self, text, tmp_path):
        (tmp_path / "config.toml").write_text(text)
        found = doctor.diagnose(tmp_path / "config.toml", root=tmp_path)
        assert found.has_fault and as_table(found, "ru") and as_table(found, "en")

    def test_no_config_at_all(self, tmp_path, capsys):
        assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
        assert "there is no such file" in capsys.readouterr().out


class TestTheTill:
    def test_a_till_in_order_is_all_well(self, tmp_path, capsys):
        shop = Shop(tmp_path)
        shop.close()
        assert main(["doctor", "--config", str(shop.config), "--language", "en"]) == 0
        told = capsys.readouterr().out
        assert "All that is configured works." in told and "test@1" in told

    def test_the_one_that_sells_is_seen_and_keeps_its_lock(self, tmp_path):
        shop = Shop(tmp_path)
        try:
            assert seller_of(tmp_path / "till.db") == os.getpid()
            assert (tmp_path / "till.db.lock").read_text() == str(os.getpid())
            assert codes_of(shop)["till"] == "till.runs"
            shop.sell()
        finally:
            shop.close()
        assert seller_of(tmp_path / "till.db") is None

    def test_keys(self, tmp_path):
        assert codes(tmp_path)["keys"] == "keys.absent"
        make_secrets(tmp_path / "config.toml")
        assert codes(tmp_path)["keys"] == "keys.works"
        (tmp_path / "secrets.toml").chmod(0o644)
        assert codes(tmp_path)["keys"] == "keys.fault"

    def test_a_file_that_is_no_database(self, tmp_path):
        (tmp_path / "till.db").write_bytes(b"not a database, but long enough to be looked at as one" * 20)
        assert codes(tmp_path)["database"] == "database.fault"

    def test_the_till_prints_the_page_that_is_asked_for_while_it_sells(self, tmp_path):
        with TcpPrinter() as printer:
            shop = Shop(tmp_path, CONFIG + tcp(printer.port))
            try:
                before = doctor.diagnose(shop.config, root=tmp_path / "none")
                after = doctor.print_pages(shop.config, "en", before)
                assert [probe.code for probe in after.printed] == ["print.queued"]
                assert shop.db.execute("SELECT kind, state FROM print_job").fetchall() == [("self_test", "queued")]
                assert printer.jobs == []
            finally:
                shop.close()

    def test_a_printer_that_is_at_work_is_left_alone(self, tmp_path):
        with TcpPrinter() as printer:
            shop = Shop(tmp_path, CONFIG + tcp(printer.port))
            try:
                job = queue(shop, "R1", NOW)
                with write(shop.db):
                    prints.move(shop.db, job, "sending", NOW)
                assert codes_of(shop)["printer"] == "printer.printing"
                assert printer.heard == b""
            finally:
                shop.close()


def codes_of(shop: Shop) -> dict[str, str]:
    found = doctor.diagnose(shop.config, root=shop.folder / "none")
    return {row.part: row.code for row in rows(found, "en")}


def queue(shop: Shop, receipt_no: str, at: datetime) -> int:
    with write(shop.db):
        return prints.enqueue(shop.db, prints.PrintDraft(sale_id=None, receipt_no=receipt_no, kind="sale", body=b"x"), at)


class TestTheFile:
    """What the till's own file says, read at a given time."""

    @pytest.fixture
    def shop(self, tmp_path):
        url = '[head_office]\nurl = "http://127.0.0.1:1"\n[printer]\nkind = "tcp"\n'
        shop = Shop(tmp_path, CONFIG + url)
        yield shop
        shop.close()

    def told(self, shop, at=NOW):
        found = examined.examined(shop.db, shop.till._desk.config, Reading(at, "given", 0))
        return {probe.part: probe for probe in found}

    def test_receipts_that_wait_too_long(self, shop):
        queue(shop, "R1", NOW)
        assert self.told(shop)["queue"].code == "queue.works"
        late = self.told(shop, NOW + timedelta(minutes=3))["queue"]
        assert (late.code, late.holes["minutes"]) == ("queue.stuck", "3")

    @pytest.mark.parametrize("end", ["uncertain", "failed"])
    def test_receipts_that_may_not_be_on_paper(self, shop, end):
        job = queue(shop, "R7", NOW)
        with write(shop.db):
            prints.move(shop.db, job, "sending", NOW)
            prints.move(shop.db, job, end, NOW)
        row = self.told(shop)["queue"]
        assert (row.code, row.state, row.holes["receipt"]) == ("queue.not_on_paper", "doubt", "R7")

    def test_facts_that_head_office_has_not_got(self, shop):
        row = self.told(shop)["log"]
        assert row.code == "log.unsent" and int(row.holes["count"]) == 2

    def test_a_clock_without_a_battery(self):
        row = examined.clock(None, Reading(datetime(2010, 1, 1, tzinfo=UTC), "given", 0))
        assert (row.state, row.code) == ("fault", "clock.early")

    @pytest.mark.parametrize(
        ("minutes", "state", "code"),
        [(10, "doubt", "clock.ahead"), (-10, "doubt", "clock.behind"), (3000, "fault", "clock.ahead")],
    )
    def test_a_clock_that_is_off(self, minutes, state, code):
        known = trusted_time.Trusted(at=NOW, skew_ms=minutes * 60_000, is_sure=False, heard_ago_ms=None)
        row = examined.clock(known, Reading(NOW, "given", 0))
        assert (row.state, row.code) == (state, code)

    def test_no_programme(self, tmp_path):
        other = Shop(tmp_path, programme="")
        try:
            assert self.told(other)["programme"].code == "programme.absent"
        finally:
            other.close()


class TestTheHub:
    """By name, for it is a part of the road to head office."""

    @staticmethod
    def told(folder: Path, tables: str) -> dict[str, tuple[str, str]]:
        return {row.name: (row.code, row.state) for row in seen(folder, tables).probes if row.part == "head_office"}

    def test_there_is_none(self, tmp_path):
        assert "hub" not in self.told(tmp_path, "")

    def test_it_answers_and_the_till_goes_by_it(self, tmp_path):
        with office(200, None) as tables:
            url = tables.partition('"')[2].rstrip('"\n')
            told = self.told(tmp_path, f'{tables}[hub]\nurl = "{url}"\n')
            assert told["hub"] == ("hub.works", "works") and "road" not in told

    def test_somebody_else_or_nobody_answers(self, tmp_path):
        with office(404, None) as tables:
            url = tables.partition('"')[2].rstrip('"\n')
            assert self.told(tmp_path, f'{tables}[hub]\nurl = "{url}"\n')["hub"] == ("hub.strange", "fault")
            assert self.told(tmp_path, f'{tables}[hub]\nurl = "http://127.0.0.1:{free_port()}"\n')["hub"][0] == "hub.silent"

    def test_the_road_is_told(self, tmp_path):
        shop = Shop(tmp_path, CONFIG + '\n[head_office]\nurl = "http://127.0.0.1:1"\n[hub]\nurl = "http://127.0.0.1:1"\n')
        for road, row in (("straight", ("road.straight", "doubt")), ("hub", ("road.hub", "works"))):
            roads.note(shop.db, road, NOW, NOW)
            probes = doctor.diagnose(shop.config).probes
            assert [(each.code, each.state) for each in probes if each.name == "road"] == [row]
        shop.close()


class TestHeadOffice:
    def test_it_answers(self, tmp_path):
        with office(200, None) as tables:
            assert codes(tmp_path, tables)["head_office"] == "office.works"

    def test_its_clock_is_another(self, tmp_path):
        with office(200, datetime(2001, 1, 1, tzinfo=UTC)) as tables:
            assert codes(tmp_path, tables)["head_office"] == "office.clock"

    def test_somebody_else_answers(self, tmp_path):
        with office(404, None) as tables:
            assert codes(tmp_path, tables)["head_office"] == "office.strange"

    def test_nobody_answers(self, tmp_path):
        tables = f'[head_office]\nurl = "http://127.0.0.1:{free_port()}"\n'
        assert codes(tmp_path, tables)["head_office"] == "office.silent"

    def test_none_is_needed(self, tmp_path):
        assert codes(tmp_path)["head_office"] == "office.none"


def machine(root: Path) -> None:
    """A scanner, a keyboard, a camera and two printers, as Linux shows them."""
    for folder in ("dev/serial/by-id", "dev/input/by-id", "dev/v4l/by-id", "dev/usb", "sys/class/video4linux/video0"):
        (root / folder).mkdir(parents=True)
    for name in ("ttyACM0", "ttyUSB3", "video0", "usb/lp0", "input/event4"):
        (root / "dev" / name).touch()
    (root / "dev/serial/by-id/usb-Scanner").symlink_to(root / "dev/ttyACM0")
    (root / "dev/input/by-id/usb-Keys-event-kbd").symlink_to(root / "dev/input/event4")
    (root / "dev/v4l/by-id/usb-Eye-video-index0").symlink_to(root / "dev/video0")
    (root / "sys/class/video4linux/video0/name").write_text("HD Webcam\n")
    for number, lp in ((1, "lp0"), (2, None)):
        device = root / f"sys/bus/usb/devices/1-{number}"
        interface = device.with_name(f"1-{number}:1.0")
        interface.mkdir(parents=True)
        device.mkdir()
        (interface / "bInterfaceClass").write_text("07\n")
        for name, text in (("idVendor", "04b8"), ("idProduct", f"000{number}"), ("product", "TM-T20")):
            (device / name).write_text(text + "\n")
        if lp is not None:
            (interface / "usbmisc" / lp).mkdir(parents=True)


class TestWhatIsPluggedIn:
    def test_each_device_once_by_its_lasting_name(self, tmp_path):
        machine(tmp_path)
        found = [(each.part, each.where.removeprefix(str(tmp_path)), each.about) for each in on_this_machine(tmp_path)]
        assert found == [
            ("port", "/dev/serial/by-id/usb-Scanner", ""),
            ("port", "/dev/ttyUSB3", ""),
            ("keyboard", "/dev/input/by-id/usb-Keys-event-kbd", ""),
            ("camera", "/dev/v4l/by-id/usb-Eye-video-index0", "HD Webcam"),
            ("printer", "/dev/usb/lp0", "04b8:0001 TM-T20"),
            ("printer", "04b8:0002", "04b8:0002 TM-T20"),
        ]
        assert lasting_name(str(tmp_path / "dev/ttyACM0"), tmp_path) == str(tmp_path / "dev/serial/by-id/usb-Scanner")
        assert lasting_name(str(tmp_path / "dev/ttyUSB3"), tmp_path) is None

    def test_what_the_config_names_is_not_found_again(self, tmp_path):
        machine(tmp_path)
        tables = f'[[scanner]]\npath = "{tmp_path}/dev/ttyACM0"\n[printer]\nkind = "usb"\nusb_id = "04b8:0001"\n'
        found = doctor.diagnose(write_config(tmp_path, tables), root=tmp_path).found
        assert [probe.where.removeprefix(str(tmp_path)) for probe in found] == [
            "/dev/ttyUSB3", "/dev/input/by-id/usb-Keys-event-kbd", "/dev/v4l/by-id/usb-Eye-video-index0", "04b8:0002",
        ]  # fmt: skip

    def test_no_device_is_said_plainly(self, tmp_path):
        found = doctor.diagnose(write_config(tmp_path, ""), root=tmp_path / "none")
        assert as_table(found, "en").startswith("No device on this machine")
        assert as_table(found, "ru").startswith("На этой машине устройств нет")


class TestTheTable:
    def test_every_row_of_json_has_the_same_fields(self, tmp_path, capsys):
        path = write_config(tmp_path, '[[scanner]]\npath = "/dev/none"\n')
        assert main(["doctor", "--json", "--language", "ru", "--config", str(path)]) == 1
        told = json.loads(capsys.readouterr().out)
        assert told.keys() == {"works", "rows"} and told["works"] is False
        fields = {"part", "name", "where", "state", "code", "says", "mend"}
        assert all(row.keys() == fields for row in told["rows"])
        assert re.search("[а-я]", told["rows"][0]["mend"])

    @pytest.mark.parametrize("language", ["ru", "en"])
    def test_lines_fit_80_columns_unless_a_path_is_longer(self, language, tmp_path):
        machine(tmp_path)
        tables = '[[scanner]]\nname = "a-scanner-with-a-very-long-name"\npath = "/dev/none"\n[printer]\nkind = "tcp"\nport = 1\n'
        text = as_table(doctor.diagnose(write_config(tmp_path, tables, HEAD + 'catalogue = "x"\n'), root=tmp_path), language, 80)
        long = [line for line in text.splitlines() if len(line) > 80]
        assert all("/" in line for line in long), long

    def test_every_code_has_its_words(self):
        sources = [*ROOT.glob("drivers/doctor*.py"), *ROOT.glob("pos_loyalty/wiring/*.py"), ROOT / "pos_loyalty/till/examined.py"]
        text = "".join(path.read_text(encoding="utf-8") for path in sources)
        asked = set(
            re.findall(
                r'"((?:port|scanner|hid|display|camera|printer|print|package|config|keys|till|database|disk|sqlite|clock|programme|queue|log|office|catalogue|receipt|font)\.[a-z_]+)"',
                text,
            )
        )
        asked -= {"till.programme", "till.catalogue", "receipt.font"}
        known = {key.removeprefix("doctor.") for key in WORDS if key.startswith("doctor.")}
        assert len(asked) > 60
        assert {code for code in asked if code not in known} - {
            "receipt.header",
            "receipt.footer",
            "receipt.referral",
            "receipt.survey",
            "receipt.feedback",
        } == set()
