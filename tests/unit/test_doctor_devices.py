"""The doctor's devices: each fault has its sentence, nothing is printed or kicked, nothing taken away, nothing hangs."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
import serial

from drivers.doctor import tried
from drivers.probes import Subject
from pos_loyalty.cli.doctor_table import Row, rows
from pos_loyalty.wiring import doctor, make_secrets
from tests.emulators.hid import PipeKeyboard
from tests.emulators.scanner import PtyScanner
from tests.emulators.serial_printer import SerialPrinter
from tests.emulators.tcp_printer import TcpPrinter
from tests.shop import Shop

STATUS_QUESTIONS = b"\x10\x04\x01\x10\x04\x02\x10\x04\x04"
ROOT = Path(__file__).parents[2]
HEAD = 'secrets = "secrets.toml"\n[store]\nid = "S1"\nname = "Shop"\n[till]\nid = "T1"\ndatabase = "till.db"\nport = 0\n'


def write_config(folder: Path, tables: str, head: str = HEAD) -> Path:
    path = folder / "config.toml"
    path.write_text(head + tables, encoding="utf-8")
    return path


def seen(folder: Path, tables: str, *, deadline_s: float = 60.0) -> doctor.Diagnosis:
    empty = folder / "machine"
    empty.mkdir(exist_ok=True)
    return doctor.diagnose(write_config(folder, tables), deadline_s=deadline_s, root=empty)


def row_of(folder: Path, tables: str, part: str, **more: float) -> Row:
    return next(row for row in rows(seen(folder, tables, **more), "en") if row.part == part)


def tcp(port: int, more: str = "") -> str:
    return f'[printer]\nkind = "tcp"\nport = {port}\ntimeout_s = 1\n{more}\n'


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


MODES = {
    "ok": ("works", "printer.works"),
    "asb": ("works", "printer.works"),
    "near_end": ("doubt", "printer.near_end"),
    "paper_out": ("fault", "printer.paper_out"),
    "cover": ("fault", "printer.cover"),
    "error": ("fault", "printer.error"),
    "silent": ("fault", "printer.silent"),
}


class TestPrinters:
    @pytest.mark.parametrize("mode", MODES)
    def test_on_the_network_each_state_has_its_sentence_and_nothing_is_printed(self, mode, tmp_path):
        with TcpPrinter(mode=mode) as printer:
            row = row_of(tmp_path, tcp(printer.port, "drawer = true"), "printer")
            assert (row.state, row.code) == MODES[mode]
            assert (row.mend is None) == (row.state == "works")
            assert (printer.jobs, printer.receipts, printer.kicks) == ([], [], 0)
            assert STATUS_QUESTIONS.startswith(printer.heard)

    @pytest.mark.parametrize("mode", MODES)
    def test_so_it_is_on_a_serial_line(self, mode, tmp_path):
        with SerialPrinter(tmp_path / "ttyPRINTER", mode=mode) as printer:
            row = row_of(tmp_path, f'[printer]\nkind = "serial"\npath = "{printer.path}"\n', "printer")
            assert (row.state, row.code) == MODES[mode]
            assert (printer.jobs, printer.kicks) == ([], 0)
            assert STATUS_QUESTIONS.startswith(printer.heard)

    def test_one_that_takes_nothing_is_silent(self, tmp_path):
        with TcpPrinter(mode="slow") as printer:
            assert row_of(tmp_path, tcp(printer.port), "printer").code == "printer.silent"
            assert printer.heard == b""

    def test_silence_names_what_to_look_at(self, tmp_path):
        with TcpPrinter(mode="silent") as printer:
            mend = row_of(tmp_path, tcp(printer.port), "printer").mend
        assert mend is not None and "is it on, cable, address" in mend

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", None], ids=["web", "ssh", "echo"])
    def test_what_is_no_printer_is_called_so_and_no_key_is_advised(self, answer, tmp_path):
        def serve():
            with suppress(OSError):
                while True:
                    line, _ = listener.accept()
                    with line:
                        while chunk := line.recv(100):
                            line.sendall(answer or chunk)

        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=serve, daemon=True).start()
        row = row_of(tmp_path, tcp(listener.getsockname()[1]), "printer")
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        assert (row.state, row.code) == ("fault", "printer.stranger")
        assert "no printer" in row.says and "barrier" not in row.mend

    def test_nobody_at_the_address(self, tmp_path):
        assert row_of(tmp_path, tcp(free_port()), "printer").code == "printer.refused"

    def test_a_name_that_is_none(self, tmp_path):
        assert row_of(tmp_path, tcp(9100, f'host = "{"x" * 70}"'), "printer").code == "printer.host"

    def test_a_listener_that_never_accepts_is_away(self, tmp_path):
        with closing(socket.socket()) as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(full.getsockname())
            row = row_of(tmp_path, tcp(full.getsockname()[1], "barrier = 'gs_r'"), "printer")
            for each in waiting:
                each.close()
        assert row.code in ("printer.away", "printer.silent") and row.state == "fault"

    @pytest.mark.parametrize(
        ("keys", "code"),
        [
            ('page = "cp437"\nslot = 0', "printer.page"),
            ('page = "cp866"\nslot = 46', "printer.slot"),
            ('page = "cp1251"\nslot = 17', "printer.slot"),
            ('page = "cp1251"\nslot = 46', "printer.works"),
        ],
    )
    def test_a_code_page_that_cannot_be_right_is_doubted(self, keys, code, tmp_path):
        with TcpPrinter() as printer:
            row = row_of(tmp_path, tcp(printer.port, keys), "printer")
        assert row.code == code
        assert code == "printer.works" or (row.state == "doubt" and "print the self-test" in (row.mend or ""))

    def test_a_printer_without_answers_is_not_asked(self, tmp_path):
        with TcpPrinter() as printer:
            row = row_of(tmp_path, tcp(printer.port, 'barrier = "none"'), "printer")
            assert (row.state, row.code, bytes(printer.heard)) == ("unproven", "printer.mute", b"")

    def test_a_file_is_not_made_by_looking_at_it(self, tmp_path):
        row = row_of(tmp_path, '[printer]\nkind = "file"\npath = "slips"\n', "printer")
        assert row.state == "unproven" and not (tmp_path / "slips").exists()
        assert row_of(tmp_path, '[printer]\nkind = "file"\npath = "nowhere/slips"\n', "printer").code == "port.absent"

    def test_a_file_that_takes_no_receipts_is_a_fault(self, tmp_path):
        table = '[printer]\nkind = "file"\npath = "{}"\n'
        (tmp_path / "folder").mkdir()
        row = row_of(tmp_path, table.format("folder"), "printer")
        assert (row.state, row.code) == ("fault", "printer.no_file") and "file" in (row.mend or "")
        os.mkfifo(tmp_path / "pipe")
        row = row_of(tmp_path, table.format("pipe"), "printer")
        assert (row.state, row.code) == ("fault", "printer.pipe") and "reads" in row.says

    def test_a_pipe_that_is_read_is_left_alone(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as reader:
            with (tmp_path / "pipe").open("wb") as pipe:
                row = row_of(tmp_path, '[printer]\nkind = "file"\npath = "pipe"\n', "printer")
                pipe.write(b"slip")
            assert reader.communicate()[0] == b"slip"
        assert (row.state, row.code) == ("unproven", "printer.mute")

    def test_what_swallows_receipts_is_not_held_by_another_program(self, tmp_path):
        with Path(os.devnull).open("wb"), subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as other:
            row = row_of(tmp_path, '[printer]\nkind = "file"\npath = "/dev/null"\n', "printer")
            other.kill()
        assert (row.state, row.code) == ("unproven", "printer.mute")

    def test_a_spooler_without_its_program(self, tmp_path):
        row = row_of(tmp_path, '[printer]\nkind = "spooler"\ncommand = ["no-such-lp"]\n', "printer")
        assert row.code == "printer.program" and "no-such-lp" in row.says

    def test_the_fallback_is_looked_at_too(self, tmp_path):
        with TcpPrinter(mode="cover") as first, TcpPrinter() as second:
            tables = tcp(first.port) + f'[printer.fallback]\nkind = "tcp"\nname = "second"\nport = {second.port}\n'
            found = {row.name: row.code for row in rows(seen(tmp_path, tables), "en") if row.part == "printer"}
        assert found == {"printer": "printer.cover", "second": "printer.works"}

    def test_the_self_test_is_printed_only_when_asked_for(self, tmp_path):
        with TcpPrinter(slots=dict.fromkeys((7, 10, 11, 12, 17, 37, 59), "cp866")) as printer:
            before = seen(tmp_path, tcp(printer.port))
            assert printer.receipts == [] and before.printed == ()
            after = doctor.print_pages(tmp_path / "config.toml", "en", before)
            assert [row.code for row in after.printed] == ["print.printed"]
            assert len(printer.jobs) == 1 and printer.kicks == 0

    def test_a_page_that_may_not_have_come_out_is_a_fault_of_the_whole(self, tmp_path):
        with TcpPrinter() as printer:
            before = seen(tmp_path, tcp(printer.port))
            make_secrets(tmp_path / "config.toml")
            printer.reset_at = 60
            after = doctor.print_pages(tmp_path / "config.toml", "en", before)
        assert [(row.state, row.code) for row in after.printed] == [("fault", "print.uncertain")]
        assert doctor.replace(after, probes=()).has_fault

    def test_no_page_goes_to_a_printer_with_a_fault(self, tmp_path):
        with TcpPrinter(mode="cover") as printer:
            before = seen(tmp_path, tcp(printer.port))
            assert doctor.print_pages(tmp_path / "config.toml", "en", before).printed == ()
            assert printer.heard == STATUS_QUESTIONS


class TestScannersAndDisplays:
    def test_a_port_that_opens_works(self, tmp_path):
        with PtyScanner(tmp_path / "scanner") as scanner:
            assert row_of(tmp_path, f'[[scanner]]\npath = "{scanner.path}"\n', "scanner").code == "scanner.opens"

    def test_a_port_that_is_not_there(self, tmp_path):
        assert row_of(tmp_path, '[[scanner]]\npath = "/dev/serial/by-id/none"\n', "scanner").code == "port.absent"

    def test_what_is_no_port(self, tmp_path):
        (tmp_path / "plain").write_text("x")
        assert row_of(tmp_path, f'[[scanner]]\npath = "{tmp_path}/plain"\n', "scanner").code == "port.strange"

    def test_a_port_that_another_program_reads_is_left_to_it(self, tmp_path):
        with (
            PtyScanner(tmp_path / "scanner") as scanner,
            closing(serial.Serial(str(scanner.path), timeout=5, exclusive=True)) as theirs,
        ):
            row = row_of(tmp_path, f'[[scanner]]\npath = "{scanner.path}"\n', "scanner")
            assert (row.state, row.code) == ("fault", "port.busy")
            scanner.scan("2200000000019")
            assert theirs.read(14) == b"2200000000019\r"

    def test_hardware_that_another_program_has_open_is_not_opened(self, tmp_path):
        code = "import sys; file = open('/dev/zero', 'rb'); print(flush=True); sys.stdin.read()"
        holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            row = row_of(tmp_path, '[[scanner]]\npath = "/dev/zero"\n', "scanner")
        finally:
            holder.communicate("")
        assert row.code == "port.held" and str(holder.pid) in row.says

    def test_keys_of_a_pipe(self, tmp_path):
        with PipeKeyboard(tmp_path / "keys") as keyboard:
            row = row_of(tmp_path, f'[[scanner]]\nkind = "hid"\npath = "{keyboard.path}"\n', "scanner")
            assert row.state == "works"

    def test_two_devices_on_one_port(self, tmp_path):
        with PtyScanner(tmp_path / "scanner") as scanner:
            (tmp_path / "other").symlink_to(scanner.path)
            tables = f'[[scanner]]\npath = "{scanner.path}"\n[[scanner]]\nname = "two"\npath = "{tmp_path}/other"\n'
            found = {row.name: row.code for row in rows(seen(tmp_path, tables), "en") if row.part == "scanner"}
        assert found == {"scanner": "scanner.opens", "two": "port.shared"}

    def test_a_display_that_is_a_page_has_no_port(self, tmp_path):
        found = rows(seen(tmp_path, '[display]\nkind = "screen"\n'), "en")
        assert not [row for row in found if row.part == "display"]

    def test_a_display_is_opened_and_shown_nothing(self, tmp_path):
        with PtyScanner(tmp_path / "display") as wire:
            row = row_of(tmp_path, f'[display]\nkind = "epson"\npath = "{wire.path}"\n', "display")
            assert (row.state, row.code) == ("unproven", "display.opens")
            assert wire._wire is not None
            os.set_blocking(wire._wire, False)
            with pytest.raises(OSError):
                os.read(wire._wire, 1)

    @pytest.mark.parametrize(("mode", "is_root", "code"), [
        (0o660, False, "port.rights"), (0o600, False, "port.rights_alone"), (0o660, True, "port.rights_alone"),
    ])  # fmt: skip
    def test_nobody_is_told_to_join_a_group_that_does_not_help_or_is_root(self, mode, is_root, code, tmp_path):
        port = tmp_path / "port"
        port.touch()
        if os.geteuid() == 0:
            os.chown(port, -1, 0 if is_root else 20)
        elif is_root:
            pytest.skip("only root may give a file to the group root")
        port.chmod(mode)

        def look():
            raise PermissionError(errno.EACCES, "no")

        row = tried(Subject(part="scanner", name="scanner", where=str(port)), str(port), None, look)
        assert row.code == code and (row.holes["group"] != "") == (code == "port.rights")

    @pytest.mark.parametrize(
        ("number", "code"),
        [(errno.ENXIO, "port.absent"), (errno.EBUSY, "port.busy"), (errno.EINVAL, "port.strange")],
    )
    def test_what_the_system_says_becomes_a_sentence(self, number, code, tmp_path):
        (tmp_path / "port").touch()

        def look():
            raise OSError(number, os.strerror(number))

        row = tried(Subject(part="scanner", name="scanner", where="port"), str(tmp_path / "port"), None, look)
        assert (row.state, row.code) == ("fault", code)

    def test_a_port_of_the_running_till_is_in_use_and_no_fault(self, tmp_path):
        with PtyScanner(tmp_path / "scanner") as scanner:
            shop = Shop(tmp_path)
            try:
                with closing(serial.Serial(str(scanner.path), exclusive=True)):
                    row = row_of(tmp_path, f'[[scanner]]\npath = "{scanner.path}"\n', "scanner")
            finally:
                shop.close()
        assert (row.state, row.code) == ("in_use", "port.till")


class TestPackages:
    @pytest.mark.parametrize(
        ("module", "tables", "code"),
        [
            ("evdev", '[[scanner]]\nkind = "hid"\npath = "/dev/null"\n', "package.hid"),
            ("usb", '[printer]\nkind = "usb"\nusb_id = "04b8:0e15"\n', "package.usb"),
            ("zxingcpp", '[camera]\nkind = "folder"\npath = "."\n', "package.camera"),
        ],
    )
    def test_an_extra_that_is_missing_is_named_with_its_command(self, module, tables, code, tmp_path):
        (tmp_path / "broken" / module).mkdir(parents=True)
        (tmp_path / "broken" / module / "__init__.py").write_text(f"raise ImportError('no {module}', name='{module}')")
        path = write_config(tmp_path, tables)
        done = subprocess.run(
            [sys.executable, "-m", "pos_loyalty.cli.main", "doctor", "--language", "en", "--config", str(path)],
            env=os.environ | {"PYTHONPATH": f"{tmp_path / 'broken'}:{ROOT}", "COLUMNS": "120"},
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
        extra = code.partition(".")[2]
        assert done.returncode == 1, done.stderr
        assert f"extra `{extra}` is not installed" in done.stdout
        assert f"pip install 'pos-loyalty[{extra}]'" in done.stdout


class TestCameras:
    def test_a_folder_of_pictures(self, tmp_path):
        from tests.emulators.camera import card_picture

        (tmp_path / "frames").mkdir()
        (tmp_path / "frames/1.jpg").write_bytes(card_picture("2200000000019", 1))
        row = row_of(tmp_path, '[camera]\nkind = "folder"\npath = "frames"\n', "camera")
        assert row.code == "camera.works" and "1280×720" in row.says

    def test_a_folder_without_pictures(self, tmp_path):
        (tmp_path / "frames").mkdir()
        assert row_of(tmp_path, '[camera]\nkind = "folder"\npath = "frames"\n', "camera").code == "camera.silent"

    def test_no_camera(self, tmp_path):
        assert row_of(tmp_path, '[camera]\nkind = "v4l"\npath = "/dev/video77"\n', "camera").code == "port.absent"


class TestNothingHangs:
    def test_a_file_that_blocks_at_open_keeps_nobody_waiting(self, tmp_path):
        os.mkfifo(tmp_path / "goods")
        make_secrets(write_config(tmp_path, ""))
        head = HEAD.replace("port = 0", 'port = 0\ncatalogue = "goods"')
        path = write_config(tmp_path, '[[scanner]]\npath = "/dev/none"\n', head)
        try:
            found = doctor.diagnose(path, deadline_s=2.0, root=tmp_path)
        finally:
            os.close(os.open(tmp_path / "goods", os.O_WRONLY))
        codes = {row.part: row.code for row in rows(found, "en")}
        assert found.is_stuck and codes["catalogue"] == "stuck" and codes["scanner"] == "port.absent"
        assert codes["keys"] == "keys.works"

    def test_the_command_ends_past_a_camera_that_blocks(self, tmp_path):
        os.mkfifo(tmp_path / "video")
        path = write_config(tmp_path, '[camera]\nkind = "file"\npath = "video"\n')
        done = subprocess.run(
            [sys.executable, "-m", "pos_loyalty.cli.main", "doctor", "--json", "--config", str(path)],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1 and '"code":"stuck"' in done.stdout
