"""What the doctor says of a till apart from its devices, in Russian and English. ``i18n`` has them among its own."""

from __future__ import annotations

from pos_loyalty.i18n_paper import Words

DOCTOR_SHOP: dict[str, Words] = {
    "doctor.config.works": Words("магазин {store}, касса {till}", "store {store}, till {till}"),
    "doctor.config.fault": Words("{fault}", "{fault}"),
    "doctor.config.fault.mend": Words(
        "исправьте это место (docs/config.md); остальное проверено", "mend this place (docs/config.md); the rest was looked at"
    ),
    "doctor.keys.works": Words("файл ключей на месте и закрыт от чужих", "the key file is there, and closed to others"),
    "doctor.keys.absent": Words("файла ключей нет", "there is no key file"),
    "doctor.keys.absent.mend": Words(
        "создайте: pos-loyalty config secrets --config {config}", "pos-loyalty config secrets --config {config}"
    ),
    "doctor.keys.fault": Words("{fault}", "{fault}"),
    "doctor.keys.fault.mend": Words(
        "закройте его от чужих: chmod 600 {where}; верните верный", "chmod 600 {where}, or put the right file back"
    ),
    "doctor.till.off": Words("не запущена", "not running"),
    "doctor.till.runs": Words("работает (процесс {pid})", "runs (process {pid})"),
    "doctor.till.mute": Words("процесс {pid} есть, но не отвечает", "process {pid} has its file, and does not answer"),
    "doctor.till.mute.mend": Words(
        "подождите; не ответит — остановите и запустите снова", "wait a little; then stop it and start it anew"
    ),
    "doctor.till.problems": Words("работает и сообщает: {problems}", "runs, and says: {problems}"),
    "doctor.database.works": Words("{size} МБ, открывается", "{size} MB, opens"),
    "doctor.database.unmade": Words("ещё нет; создаст первый запуск", "not there yet; the first start makes it"),
    "doctor.database.rights": Words("в эту папку нельзя писать", "its folder may not be written to"),
    "doctor.database.rights.mend": Words("дайте пользователю кассы права на папку", "give the till's user rights to the folder"),
    "doctor.database.fault": Words("{fault}", "{fault}"),
    "doctor.database.fault.mend": Words(
        "путь, права, версия; копию делает pos-loyalty backup", "path, rights, build; else put the backup back"
    ),
    "doctor.disk.works": Words("свободно {free} МБ", "{free} MB are free"),
    "doctor.disk.low": Words("свободно только {free} МБ", "only {free} MB are free"),
    "doctor.disk.low.mend": Words("освободите место: нужно {floor} МБ", "make room: {floor} MB are needed"),
    "doctor.sqlite.works": Words("без ошибки WAL-reset", "without the WAL-reset bug"),
    "doctor.sqlite.wal_bug": Words(
        "с ошибкой WAL-reset; касса пишет без WAL, медленнее", "has the WAL-reset bug; the till writes without WAL, slower"
    ),
    "doctor.sqlite.wal_bug.mend": Words("обновите: pip install -U pysqlite3", "pip install -U pysqlite3"),
    "doctor.clock.works": Words("идёт как надо", "as it should be"),
    "doctor.clock.early": Words("часы показывают {day}", "it shows {day}"),
    "doctor.clock.early.mend": Words("поставьте время; села батарейка?", "set the time; is its battery empty?"),
    "doctor.clock.ahead": Words("спешит на {minutes} мин", "{minutes} minutes ahead of what is due"),
    "doctor.clock.ahead.mend": Words(
        "поставьте время, или: pos-loyalty clock --confirm", "set it right, or: pos-loyalty clock --confirm"
    ),
    "doctor.clock.behind": Words("отстаёт на {minutes} мин", "{minutes} minutes behind what is due"),
    "doctor.clock.behind.mend": Words(
        "поставьте время, или: pos-loyalty clock --confirm", "set it right, or: pos-loyalty clock --confirm"
    ),
    "doctor.programme.works": Words("{programme}", "{programme}"),
    "doctor.programme.absent": Words("программы нет: скидок и баллов не будет", "none: there is nothing to sell by"),
    "doctor.programme.absent.mend": Words(
        "pos-loyalty sync, или файл в till.programme", "pos-loyalty sync, or name a file in till.programme"
    ),
    "doctor.programme.fault": Words("{fault}", "{fault}"),
    "doctor.programme.fault.mend": Words(
        "pos-loyalty programme check покажет все ошибки", "pos-loyalty programme check shows all faults"
    ),
    "doctor.queue.works": Words("ждёт чеков: {count}", "receipts waiting: {count}"),
    "doctor.queue.stuck": Words(
        "ждёт чеков: {count}, самый старый {minutes} мин", "{count} wait, the oldest for {minutes} minutes"
    ),
    "doctor.queue.stuck.mend": Words("смотрите строку принтера; касса запущена?", "see the printer's row; does the till run?"),
    "doctor.queue.no_printer": Words(
        "ждёт чеков: {count}, а принтера в настройках нет", "{count} wait, and the config names no printer"
    ),
    "doctor.queue.no_printer.mend": Words("добавьте [printer]", "put a [printer] table into the config"),
    "doctor.queue.not_on_paper": Words(
        "может не быть на бумаге: {count}, последний {receipt} ({end})", "{count} may not be on paper, the last {receipt} ({end})"
    ),
    "doctor.queue.not_on_paper.mend": Words(
        "взгляните, вышел ли; pos-loyalty unfinished покажет все", "look whether it came out; pos-loyalty unfinished lists them"
    ),
    "doctor.log.works": Words("всё отправлено в офис", "all is sent to head office"),
    "doctor.log.unsent": Words("не отправлено в офис записей: {count}", "{count} facts are not sent yet"),
    "doctor.log.unsent.mend": Words("pos-loyalty sync; работает ли sync --follow?", "pos-loyalty sync; does sync --follow run?"),
    "doctor.log.trouble": Words("офис не принимает журнал: {trouble}", "head office does not take it: {trouble}"),
    "doctor.log.trouble.mend": Words(
        "не удаляйте файл кассы; позвоните в поддержку", "keep the till's file as it is, and call support"
    ),
    "doctor.office.none": Words("офиса нет: касса сама по себе", "none: this till stands alone"),
    "doctor.office.works": Words("отвечает", "answers"),
    "doctor.office.silent": Words("не отвечает; касса продаёт и без него", "does not answer; the till sells on without it"),
    "doctor.office.silent.mend": Words("сеть, адрес head_office.url, запущен ли он", "network, head_office.url, does it run"),
    "doctor.office.strange": Words("отвечает {status}: это не офис", "answers {status}: this is no head office"),
    "doctor.office.strange.mend": Words("проверьте head_office.url", "look at head_office.url"),
    "doctor.office.clock": Words("отвечает; часы разошлись на {minutes} мин", "answers; the clocks differ by {minutes} minutes"),
    "doctor.office.clock.mend": Words("поставьте верное время здесь и там", "set the time right here and there"),
    "doctor.hub.works": Words("отвечает", "answers"),
    "doctor.hub.silent": Words("не отвечает; касса идёт прямо в офис", "does not answer; the till goes straight to head office"),
    "doctor.hub.silent.mend": Words(
        "сеть магазина, адрес hub.url, запущен ли pos-loyalty hub", "the store's network, hub.url, does pos-loyalty hub run"
    ),
    "doctor.hub.strange": Words("отвечает {status}: это не узел", "answers {status}: this is no hub"),
    "doctor.hub.strange.mend": Words("проверьте hub.url", "look at hub.url"),
    "doctor.road.hub": Words("через узел с {since} UTC", "by the hub since {since} UTC"),
    "doctor.road.straight": Words(
        "прямо в офис с {since} UTC; узел отвечал {heard}", "straight since {since} UTC; the hub answered {heard}"
    ),
    "doctor.road.straight.mend": Words("строка выше: отвечает ли узел", "the row above: does the hub answer"),
    "doctor.catalogue.works": Words("товаров: {count}", "{count} products"),
    "doctor.catalogue.fault": Words("{fault}", "{fault}"),
    "doctor.catalogue.fault.mend": Words(
        "сделайте заново: pos-loyalty import catalogue", "make it anew: pos-loyalty import catalogue"
    ),
    "doctor.receipt.works": Words("шаблон печатается", "the template can be printed"),
    "doctor.receipt.fault": Words("{fault}", "{fault}"),
    "doctor.receipt.fault.mend": Words("исправьте это место в [receipt]", "mend this place of [receipt]"),
    "doctor.font.works": Words("есть", "there"),
    "doctor.font.absent": Words("нет; картинок чеков не будет", "missing: no pictures of receipts"),
    "doctor.font.absent.mend": Words(
        "apt install fonts-dejavu-core, или укажите receipt.font", "apt install fonts-dejavu-core, or set receipt.font"
    ),
    # what a row is called
    "doctor.name.till": Words("касса", "till"),
    "doctor.name.packages": Words("дополнения", "packages"),
    "doctor.name.clock": Words("часы", "clock"),
    "doctor.name.programme": Words("программа", "programme"),
    "doctor.name.print queue": Words("очередь печати", "print queue"),
    "doctor.name.log": Words("журнал", "log"),
    "doctor.name.config": Words("настройки", "config"),
    "doctor.name.keys": Words("ключи", "keys"),
    "doctor.name.database": Words("база", "database"),
    "doctor.name.disk": Words("диск", "disk"),
    "doctor.name.head office": Words("офис", "head office"),
    "doctor.name.hub": Words("узел магазина", "hub"),
    "doctor.name.road": Words("путь", "road"),
    "doctor.name.catalogue": Words("товары", "catalogue"),
    "doctor.name.receipts": Words("чеки", "receipts"),
    "doctor.name.font": Words("шрифт", "font"),
}
