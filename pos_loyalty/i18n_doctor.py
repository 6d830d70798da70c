"""What the doctor says, in Russian and English: for each code what is so, and under ``.mend`` what to do. ``i18n`` has them."""

from __future__ import annotations

from pos_loyalty.i18n_paper import Words

DOCTOR: dict[str, Words] = {
    "doctor.devices": Words("УСТРОЙСТВА", "DEVICES"),
    "doctor.found": Words("НАЙДЕНО, НО НЕ В НАСТРОЙКАХ", "FOUND HERE, NOT IN THE CONFIG"),
    "doctor.shop": Words("КАССА", "THE TILL"),
    "doctor.printed": Words("ПЕЧАТЬ ПРОВЕРКИ", "SELF-TEST PAGES"),
    "doctor.head.device": Words("устройство", "device"),
    "doctor.head.where": Words("где", "where"),
    "doctor.head.state": Words("состояние", "state"),
    "doctor.none": Words(
        "На этой машине устройств нет: ни в настройках, ни подключённых.",
        "No device on this machine: none in the config, none plugged in.",
    ),
    "doctor.none_found": Words("Других устройств на этой машине нет.", "No other device hangs on this machine."),
    "doctor.well": Words("Всё, что настроено, работает.", "All that is configured works."),
    "doctor.faults": Words("Не работает: {count}.", "Not working: {count}."),
    "doctor.doubts": Words("Стоит взглянуть: {count}.", "Worth a look: {count}."),
    # states
    "doctor.state.works": Words("работает", "works"),
    "doctor.state.in_use": Words("занято кассой", "in use"),
    "doctor.state.unproven": Words("не проверить", "not proven"),
    "doctor.state.doubt": Words("внимание", "look"),
    "doctor.state.fault": Words("СБОЙ", "FAULT"),
    "doctor.state.found": Words("найдено", "found"),
    "doctor.state.unused": Words("нет", "none"),
    # any look
    "doctor.stuck": Words("не отвечает {seconds} с и всё ещё висит", "no answer in {seconds} s, and it hangs still"),
    "doctor.stuck.mend": Words(
        "выньте и вставьте устройство; если это файл — он лежит не на диске",
        "pull the device out and plug it in again; if it is a file, it does not lie on a disk",
    ),
    "doctor.failed": Words("проверка не удалась: {fault}", "it could not be looked at: {fault}"),
    # ports
    "doctor.port.till": Words("порт у работающей кассы, его не трогали", "the running till has it; it was not disturbed"),
    "doctor.port.held": Words("порт занят программой {program} ({pid})", "another program has it: {program} ({pid})"),
    "doctor.port.held.mend": Words("закройте её или укажите другой порт", "stop that program, or name another port"),
    "doctor.port.busy": Words("порт занят другой программой", "another program has it"),
    "doctor.port.busy.mend": Words("закройте её или укажите другой порт", "stop that program, or name another port"),
    "doctor.port.rights": Words("нет прав на {path}", "no rights on {path}"),
    "doctor.port.rights.mend": Words(
        "добавьте пользователя в группу {group} (sudo usermod -aG {group} $USER) и войдите снова",
        "add the user to {group} (sudo usermod -aG {group} $USER) and log in again",
    ),
    "doctor.port.rights_alone": Words("нет прав на {path}", "no rights on {path}"),
    "doctor.port.rights_alone.mend": Words("дайте пользователю кассы права на него", "give the till's user rights to it"),
    "doctor.port.absent": Words("там ничего нет", "nothing is there"),
    "doctor.port.absent.mend": Words(
        "включено ли, в порядке ли кабель, тот ли путь; подключённое показано ниже",
        "is it plugged in, cable, path; what is plugged in stands below",
    ),
    "doctor.port.strange": Words("это не тот порт", "this is no such port"),
    "doctor.port.strange.mend": Words(
        "укажите путь устройства; подключённое показано ниже", "name the device's own path; see below"
    ),
    "doctor.port.baud": Words("порт не принимает {baud} бод", "the port does not take {baud} baud"),
    "doctor.port.baud.mend": Words("укажите baud из инструкции устройства", "set `baud` as the device's manual says"),
    "doctor.port.shared": Words("тот же порт, что у «{other}»", "the same port as “{other}”"),
    "doctor.port.shared.mend": Words("дайте каждому устройству свой путь", "give each device a path of its own"),
    "doctor.port.name": Words(
        "открывается, но имя может смениться при переподключении", "opens, but its name may change at the next plugging"
    ),
    "doctor.port.name.mend": Words('запишите path = "{lasting}"', 'write path = "{lasting}"'),
    # scanners, displays
    "doctor.scanner.opens": Words(
        "открывается; отсканируйте код и взгляните на кассу", "opens; scan a code and look at the till"
    ),
    "doctor.hid.strange": Words("открывается, но это не клавиатура", "opens, but it is no keyboard"),
    "doctor.hid.strange.mend": Words(
        "укажите имя с окончанием -event-kbd из /dev/input/by-id", "name the one that ends in -event-kbd in /dev/input/by-id"
    ),
    "doctor.display.opens": Words("порт открывается; ответить дисплей не может", "the port opens; a display cannot answer"),
    # cameras
    "doctor.camera.works": Words("даёт картинку {wide}×{high}", "gives pictures of {wide}×{high}"),
    "doctor.camera.silent": Words("картинки нет", "no picture comes"),
    "doctor.camera.silent.mend": Words(
        "кабель, другая программа, та ли камера; в папке — есть ли картинки",
        "cable, another program, the right camera; in a folder: are there pictures",
    ),
    "doctor.camera.one_decoder": Words(
        "даёт картинку; второго декодера (zbar) нет", "gives pictures; the second decoder (zbar) is missing"
    ),
    "doctor.camera.one_decoder.mend": Words(
        "установите: apt install libzbar0; pip install pyzbar", "install it: apt install libzbar0; pip install pyzbar"
    ),
    "doctor.camera.two_copies": Words(
        "даёт картинку; стоят две копии OpenCV", "gives pictures; two copies of OpenCV are installed"
    ),
    "doctor.camera.two_copies.mend": Words(
        "удалите обе, поставьте одну: pip install 'pos-loyalty[camera]'",
        "remove both, install one: pip install 'pos-loyalty[camera]'",
    ),
    # printers
    "doctor.printer.works": Words("отвечает и готов", "answers, and is ready"),
    "doctor.printer.printing": Words("касса печатает, принтер не трогали", "the till is printing; it was not disturbed"),
    "doctor.printer.near_end": Words("готов; бумага кончается", "ready; the paper is near its end"),
    "doctor.printer.near_end.mend": Words("держите новый рулон под рукой", "have a new roll at hand"),
    "doctor.printer.cover": Words("открыта крышка", "its cover is open"),
    "doctor.printer.cover.mend": Words("закройте крышку", "close the cover"),
    "doctor.printer.paper_out": Words("нет бумаги", "out of paper"),
    "doctor.printer.paper_out.mend": Words("вставьте рулон", "put in a new roll"),
    "doctor.printer.error": Words("принтер сообщает о неисправности", "the printer reports a fault"),
    "doctor.printer.error.mend": Words("нож, замятие; выключите и включите", "knife, paper jam; switch it off and on"),
    "doctor.printer.offline": Words("отвечает, но отключён от линии", "answers, but is off line"),
    "doctor.printer.offline.mend": Words(
        "нажмите на нём кнопку подачи или перезапустите", "press its feed button, or restart it"
    ),
    "doctor.printer.partial": Words("говорит о себе не всё", "tells only a part of its state"),
    "doctor.printer.partial.mend": Words(
        'если чеки не печатаются, укажите barrier = "none"', 'if receipts do not come, set barrier = "none"'
    ),
    "doctor.printer.silent": Words("соединение есть, принтер молчит", "the way to it is open, and the printer is silent"),
    "doctor.printer.silent.mend": Words(
        'включён ли, кабель, адрес, скорость; если он не умеет отвечать, укажите barrier = "none"',
        'is it on, cable, address, speed; if it cannot answer at all, set barrier = "none"',
    ),
    "doctor.printer.stranger": Words("отвечает, но это не принтер", "something answers there, and it is no printer"),
    "doctor.printer.stranger.mend": Words(
        "проверьте адрес и порт (или путь и скорость): здесь отвечает другое устройство или программа",
        "check address and port (or path and speed): another device or program answers here",
    ),
    "doctor.printer.refused": Words("по этому адресу никто не слушает", "nobody listens at this address"),
    "doctor.printer.refused.mend": Words(
        "тот ли адрес и порт (обычно 9100): принтер печатает их сам, если включить его с нажатой подачей",
        "is it this address and port (usually 9100)? The printer prints them when switched on with feed held",
    ),
    "doctor.printer.away": Words("по этому адресу никто не отвечает", "nobody answers at this address"),
    "doctor.printer.away.mend": Words("включён ли принтер, кабель, сеть, адрес", "is it on, cable, network, address"),
    "doctor.printer.host": Words("имя {host} не найдено", "the name {host} is not known"),
    "doctor.printer.host.mend": Words("укажите адрес принтера числами", "write the printer's address in numbers"),
    "doctor.printer.mute": Words("принять может, ответить нет", "takes receipts; it cannot answer"),
    "doctor.printer.mute.mend": Words("напечатайте проверку: doctor --print", "print the self-test: doctor --print"),
    "doctor.printer.page": Words("в порядке, но страница {page} — не кириллица", "well, but page {page} is not Cyrillic"),
    "doctor.printer.page.mend": Words(
        'укажите page = "cp866" и её slot; напечатайте проверку (--print)',
        'set page = "cp866" with its slot: print the self-test (--print)',
    ),
    "doctor.printer.slot": Words(
        "в порядке, но {slot} — не {page} ни у одного известного принтера",
        "well, but page {slot} is not {page} on any known printer",
    ),
    "doctor.printer.slot.mend": Words(
        "напечатайте проверку (--print) и укажите slot; обычные: {slots}",
        "print the self-test (--print) and set `slot`; usual ones: {slots}",
    ),
    "doctor.printer.program": Words("нет программы {program}", "there is no program {program}"),
    "doctor.printer.program.mend": Words(
        "установите её (lp — пакет cups-client) или смените command", "install it (lp: cups-client), or change `command`"
    ),
    "doctor.printer.no_file": Words("это не файл", "this is no file"),
    "doctor.printer.no_file.mend": Words("укажите path файла, например slips.bin", "set `path` to a file, such as slips.bin"),
    "doctor.printer.pipe": Words("это канал, из которого никто не читает", "this is a pipe that nobody reads"),
    "doctor.printer.pipe.mend": Words(
        "запустите программу, которая его читает, или укажите файл", "start the program that reads it, or name a file"
    ),
    "doctor.printer.no_queue": Words("в Windows нет такого принтера", "Windows has no such printer"),
    "doctor.printer.no_queue.mend": Words("укажите queue как в «Принтерах»", "set `queue` as it stands among the printers"),
    "doctor.printer.unplugged": Words("такого USB-принтера нет", "no such USB printer is plugged in"),
    "doctor.printer.unplugged.mend": Words(
        "включён ли, кабель; подключённое показано ниже", "is it on, cable; what is plugged in stands below"
    ),
    "doctor.printer.usb_rights": Words("нет прав на USB-принтер", "no rights on the USB printer"),
    "doctor.printer.usb_rights.mend": Words(
        'правило udev с GROUP="lp" и пользователь в группе lp', 'a udev rule with GROUP="lp", and the user in the group lp'
    ),
    "doctor.print.printed": Words("проверка напечатана", "the self-test is printed"),
    "doctor.print.printed.mend": Words(
        "читается строка с другим числом — запишите его в slot", "if another line reads right, set `slot` to its number"
    ),
    "doctor.print.queued": Words("проверка {receipt} в очереди кассы", "the self-test {receipt} is in the till's queue"),
    "doctor.print.queued.mend": Words(
        "читается строка с другим числом — запишите его в slot", "if another line reads right, set `slot` to its number"
    ),
    "doctor.print.unconfirmed": Words("проверка отправлена", "the self-test is sent"),
    "doctor.print.unconfirmed.mend": Words(
        "взгляните, вышла ли; верную строку — в slot", "look whether it came out; the right line's number is `slot`"
    ),
    "doctor.print.uncertain": Words("неизвестно, вышла ли проверка ({note})", "it is not known whether it came out ({note})"),
    "doctor.print.uncertain.mend": Words("взгляните на принтер", "look at the printer"),
    "doctor.print.refused": Words("проверка не отправлена ({note})", "the self-test was not sent ({note})"),
    # packages
    "doctor.package.works": Words("установлены", "installed"),
    "doctor.package.unused": Words("не установлено", "not installed"),
    "doctor.package.absent": Words("дополнение {extra} не установлено", "extra `{extra}` is not installed"),
    "doctor.package.absent.mend": Words("установите: pip install 'pos-loyalty[{extra}]'", "pip install 'pos-loyalty[{extra}]'"),
    **{
        key: words
        for extra in ("hid", "usb", "camera", "windows")
        for key, words in {
            f"doctor.package.{extra}": Words(f"дополнение {extra} не установлено", f"extra `{extra}` is not installed"),
            f"doctor.package.{extra}.mend": Words(
                f"установите: pip install 'pos-loyalty[{extra}]'", f"pip install 'pos-loyalty[{extra}]'"
            ),
        }.items()
    },
    # found
    "doctor.found.port": Words("последовательный порт", "a serial port"),
    "doctor.found.port.mend": Words('сканер: [[scanner]] path = "{where}"', 'for a scanner: [[scanner]] path = "{where}"'),
    "doctor.found.keyboard": Words("клавиатура или сканер", "a keyboard or a scanner"),
    "doctor.found.keyboard.mend": Words(
        'сканер: [[scanner]] kind = "hid", path = "{where}"', 'for a scanner: [[scanner]] kind = "hid", path = "{where}"'
    ),
    "doctor.found.camera": Words("камера", "a camera"),
    "doctor.found.camera.mend": Words(
        '[camera] kind = "v4l", path = "{where}" — по желанию', 'to use it: [camera] kind = "v4l", path = "{where}"'
    ),
    "doctor.found.printer": Words("USB-принтер", "a USB printer"),
    "doctor.found.printer.mend": Words(
        '[printer] kind = "usb", path (или usb_id) = "{where}" — по желанию',
        'to use it: [printer] kind = "usb", path (or usb_id) = "{where}"',
    ),
    "doctor.found.rights": Words("есть, но нет прав на {path}", "it is there; no rights on {path}"),
    "doctor.found.rights.mend": Words(
        "если нужно: добавьте пользователя в {group} (sudo usermod -aG {group} $USER)",
        "if it is wanted: add the user to {group} (sudo usermod -aG {group} $USER)",
    ),
}
