"""Words in Russian and English for receipt, cashier page and messages, and how numbers and dates are written. No float here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pos_loyalty.i18n_display import DISPLAY
from pos_loyalty.i18n_doctor import DOCTOR
from pos_loyalty.i18n_doctor_shop import DOCTOR_SHOP
from pos_loyalty.i18n_paper import PAPER
from pos_loyalty.i18n_paper import Words as Words
from pos_loyalty.office_words import OFFICE_WORDS
from pos_loyalty.page_words import PAGE_WORDS
from pos_loyalty.values import CENTI_PER_POINT, Minor, Points, Thousandths

Language = Literal["ru", "en"]
MINOR_PER_UNIT = 100
NO_BREAK = "\u00a0"
MINUS = "\u2212"
LANGUAGES: tuple[Language, ...] = ("ru", "en")
SIGNS = {"RUB": "₽", "USD": "$", "EUR": "€"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


WORDS: dict[str, Words] = {key: Words(*both) for key, both in (PAGE_WORDS | OFFICE_WORDS).items()} | {
    **PAPER,
    **DISPLAY,
    **DOCTOR,
    **DOCTOR_SHOP,
    # plural forms of a point; "part" stands for a number with a fraction
    "point.one": Words("балл", "point"),
    "point.few": Words("балла", "points"),
    "point.many": Words("баллов", "points"),
    "point.part": Words("балла", "points"),
    # why a coupon that was presented does not act
    "coupon.unknown": Words("касса его не знает", "this till does not know it"),
    "coupon.no_series": Words("такого купона нет", "there is no such coupon"),
    "coupon.check": Words("в коде опечатка (контрольные цифры)", "its code is mistyped (check digits)"),
    "coupon.used": Words("он уже использован", "it is used up"),
    "coupon.silent": Words("его проверит только офис, а он не отвечает", "only head office can check it, and it is silent"),
    "coupon.asking": Words("про него спрашивают офис, подождите секунду", "head office is being asked about it, wait a second"),
    "coupon.elsewhere": Words("офис сейчас не даёт его этой кассе", "head office does not give it to this till now"),
    "coupon.begins": Words("он начнёт действовать {day}", "it begins on {day}"),
    "coupon.ended": Words("его срок истёк {day}", "it ended on {day}"),
    "coupon.per_receipt": Words("таких купонов в одном чеке больше нельзя", "one receipt takes no more of these"),
    "coupon.beaten": Words("выгоднее «{rule}»", "“{rule}” is better"),
    # cashier page
    "page.title": Words("Касса", "Till"),
    "page.till": Words("касса", "till"),
    "page.state": Words("Состояние кассы", "State of the till"),
    "page.language": Words("Язык", "Language"),
    "page.unfinished": Words("Незавершённые продажи", "Unfinished sales"),
    "page.sale": Words("Продажа", "Sale"),
    "page.scan": Words("Карта, товар или купон", "Card, product or coupon"),
    "page.scan_help": Words(
        "Номер, часть названия или телефон. «3*» перед кодом — количество. ↑ ↓ — строка.",
        "A number, part of a name, or a phone. “3*” before a code is the quantity. ↑ ↓ choose a line.",
    ),
    "page.enter": Words("Ввод", "OK"),
    "page.found": Words("Найденные товары", "Products found"),
    "page.empty": Words("Отсканируйте карту или первый товар", "Scan a card or the first product"),
    "page.goods": Words("Товар", "Product"),
    "page.quantity": Words("Кол-во", "Quantity"),
    "page.price": Words("Цена", "Price"),
    "page.sum": Words("Сумма", "Sum"),
    "page.kg": Words("кг", "kg"),
    "page.coupons": Words("Купоны", "Coupons"),
    "page.coupon": Words("Купон", "Coupon"),
    "page.coupon_refused": Words("Купон {code} не действует: {why}", "Coupon {code} does not apply: {why}"),
    "page.coupon_void": Words("не действует: {why}", "does not apply: {why}"),
    "page.coupon_added": Words("Купон {code} принят", "Coupon {code} accepted"),
    "page.coupon_waits": Words(
        "Купон {code} проверится с первым товаром", "Coupon {code} will be checked with the first product"
    ),
    "page.hints": Words("Подсказки", "Hints"),
    "page.choose_goods": Words("— выбрать: {name}", "chooses: {name}"),
    "page.nothing_to_choose": Words("Выбирать сейчас нечего", "There is nothing to choose now"),
    "page.coupon_issued": Words("Выдан купон {code}", "Coupon issued: {code}"),
    "page.until": Words("по {day}", "until {day}"),
    "page.paid_until": Words("Подписка действует по {day}", "Membership until {day}"),
    "page.refused": Words("Не сработало: {count}", "Did not apply: {count}"),
    "page.member": Words("Участник", "Member"),
    "page.no_member": Words("Без карты", "No card"),
    "page.card": Words("Карта", "Card"),
    "page.expiring": Words("{day} сгорит {points}", "{points} expire on {day}"),
    "page.settled": Words("В счёт долга: {points}", "Settled of what was owed: {points}"),
    "page.limited": Words("Здесь можно списать {points}", "{points} may be spent here"),
    "page.known_at": Words("Баланс по данным офиса на {time}", "Balance as head office knew it at {time}"),
    "page.phone_unverified": Words("Телефон не подтверждён", "The phone is not verified"),
    "page.phone_verified": Words("Телефон подтверждён", "The phone is verified"),
    "page.enrol": Words("Новый участник", "New member"),
    "page.enrol_card": Words("Номер новой карты", "Number of the new card"),
    "page.enrol_new_card": Words("Сделать карту сейчас", "Make a card now"),
    "page.enrol_phone": Words("Телефон, если даёт", "Phone, if given"),
    "page.enrol_name": Words("Имя, если даёт", "Name, if given"),
    "page.enrol_consents": Words("Согласия: спросить о каждом", "Consents: ask about each"),
    "page.enrol_data": Words("на обработку данных", "to keep personal data"),
    "page.enrol_advertising": Words("на рекламу", "to advertising"),
    "page.enrol_do": Words("Записать", "Enrol"),
    "page.enrolled": Words("Участник записан", "The member is enrolled"),
    "page.card_made": Words("Участник записан, его карта {card}", "The member is enrolled; the card is {card}"),
    "page.code": Words("Код из сообщения", "Code from the message"),
    "page.code_send": Words("Отправить код", "Send a code"),
    "page.code_check": Words("Проверить", "Check"),
    "page.code_sent": Words("Код отправлен: попросите назвать его", "A code is on its way: ask for it"),
    "page.hello": Words("Карта принята", "Card accepted"),
    "page.rights_came": Words(
        "Теперь можно списать больше баллов: сумма другая", "More points may be spent now: the sum has changed"
    ),
    "page.card_again": Words("Эта карта уже принята", "This card is accepted already"),
    "page.card_replaced": Words(
        "Карта заменена: вместо {before} теперь {now}", "The card is replaced: {now} instead of {before}"
    ),
    "page.by_phone": Words("карты по телефону", "the one found by phone"),
    "page.bank_card": Words(
        "{last} — это банковская карта. Нужна карта участника; оплата картой — F8.",
        "{last} is a bank card. A member's card is needed here; to pay by bank card, press F8.",
    ),
    "page.card_mistyped": Words(
        "Номер карты {last} неверный (контрольная цифра). Проверьте и введите ещё раз.",
        "Card number {last} is not right (check digit). Look again and retype it.",
    ),
    "page.points": Words("Баллы", "Points"),
    "page.redeem": Words("Списать баллы", "Pay with points"),
    "page.can_redeem": Words("Можно списать до", "Can pay up to"),
    "page.gross": Words("Сумма", "Subtotal"),
    "page.saved": Words("Скидки", "Discounts"),
    "page.by_points": Words("Баллами", "Paid with points"),
    "page.due": Words("К оплате", "To pay"),
    "page.earn": Words("Будет начислено", "Will earn"),
    "page.pay_cash": Words("Наличными", "Cash"),
    "page.pay_card": Words("Картой", "Bank card"),
    "page.remove": Words("Убрать", "Remove"),
    "page.clear": Words("Очистить", "Clear"),
    "page.next": Words("Следующая продажа", "Next sale"),
    "page.print": Words("Напечатать копию", "Print a copy"),
    "page.picture": Words("Чек картинкой", "Receipt as a picture"),
    "page.receipt": Words("Чек", "Receipt"),
    "page.more": Words("Чек длиннее: прокрутите или PgDn", "The receipt goes on: scroll, or PgDn"),
    "page.noscript": Words("Включите JavaScript: без него касса не работает.", "Turn JavaScript on: the till needs it."),
    "page.added": Words("{name} — {price}", "{name}: {price}"),
    "page.removed": Words("Убрано: {name}", "Removed: {name}"),
    "page.code_unknown": Words("{code}: нет ни такого товара, ни карты", "{code}: neither a product nor a card"),
    "page.card_unknown": Words("Карта не найдена. Продавать можно и без неё.", "Card not found. You can sell without it."),
    "page.phone_unknown": Words(
        "Телефон не найден. Продавать можно и без карты.", "Phone not found. You can sell without a card."
    ),
    "page.bad_quantity": Words(
        "«{text}» — не количество: например 2 или 0,345", "“{text}” is not a quantity: 2 or 0.345, for example"
    ),
    "page.whole_pieces": Words("{name}: продаётся целыми штуками", "{name} is sold in whole pieces"),
    "page.weigh": Words(
        "{name}: введите вес, например 0,345. Esc — не добавлять", "{name}: type the weight, such as 0.345. Esc leaves it out"
    ),
    "page.weight": Words("вес, кг", "weight, kg"),
    "page.no_line": Words("Сначала выберите строку", "Choose a line first"),
    "page.bad_points": Words("Введите число баллов, например 150", "Type a number of points, such as 150"),
    "page.empty_sale": Words("В чеке пока ничего нет", "There is nothing to pay for yet"),
    "page.pricing": Words("Сумма считается, нажмите ещё раз", "The amount is being counted, press again"),
    "page.wait": Words("Секунду…", "One moment…"),
    "page.paying_now": Words("Сначала завершите оплату: F9", "Finish the payment first: F9"),
    "page.try_again": Words("Нажмите F9 ещё раз: продажа не удвоится.", "Press F9 again: nothing is sold twice."),
    "page.changed": Words(
        "Сумма изменилась: {due}. Проверьте и оплатите ещё раз.", "The amount changed: {due}. Check it and pay again."
    ),
    "page.asked_again": Words(
        "Спрашиваем кассу снова: сумма появится, как только она ответит.",
        "The till is asked again: the amount comes as soon as it answers.",
    ),
    "page.answers_again": Words("Касса снова отвечает. К оплате {due}", "The till answers again. To pay: {due}"),
    "page.clear_again": Words("Нажмите F10 ещё раз, чтобы очистить чек", "Press F10 again to clear the sale"),
    "page.done": Words("Оплачено {due}. Чек {number}", "Paid {due}. Receipt {number}"),
    "page.balance_after": Words("На счёте после покупки: {points}", "Balance after this sale: {points}"),
    "page.print_queued": Words("Копия поставлена в печать", "The copy is queued for print"),
    "page.unfinished_question": Words(
        "Чек {number} от {time} на {due} не завершён. Деньги получены?",
        "Receipt {number} of {time} for {due} is unfinished. Was it paid?",
    ),
    "page.paid": Words("Да, завершить", "Yes, complete"),
    "page.not_paid": Words("Нет, отменить", "No, cancel"),
    "page.unfinished_unread": Words(
        "Продажа {id} не завершена, но прочитать её не удалось: позовите старшего.",
        "Sale {id} is unfinished but cannot be read: call the person in charge.",
    ),
    "page.unfinished_more": Words("И ещё не завершено: {count}", "And more are unfinished: {count}"),
    "page.unfinished_completed": Words("Чек {number} завершён", "Receipt {number} is completed"),
    "page.unfinished_cancelled": Words(
        "Чек {number} отменён, баллы возвращены", "Receipt {number} is cancelled, points went back"
    ),
    "page.head_office_answers": Words("Офис на связи", "Head office answers"),
    "page.by_hub": Words("Через узел магазина", "By the store's hub"),
    "page.past_hub": Words("Мимо узла магазина с {time}", "Past the store's hub since {time}"),
    "page.hub_heard_at": Words("узел отвечал в {time}", "the hub answered at {time}"),
    "page.hub_never_heard": Words("узел ещё не отвечал", "the hub never answered"),
    "page.head_office_silent": Words("Без связи с офисом, касса продаёт", "Offline, the till sells on"),
    "page.heard_at": Words("последний раз в {time}", "last heard at {time}"),
    "page.never_heard": Words("связи ещё не было", "not heard yet"),
    "page.unsent": Words("Не отправлено: {count}", "Not sent yet: {count}"),
    "page.prints_waiting": Words("Ждут печати: {count}", "Waiting for print: {count}"),
    "page.till_gone": Words("Программа кассы не отвечает", "The till program does not answer"),
    "page.lost": Words("Программа кассы не ответила.", "The till program did not answer."),
    # titles of problem documents; their detail is the error's own sentence
    "problem.input": Words("Неверные данные.", "Bad input."),
    # acts that a person answers for
    "acts.title": Words("Журнал действий", "Acts"),
    "acts.lead": Words(
        "Кто, с чьего слова, когда и почему: прямо из журнала кассы, новые сверху.",
        "Who, with whose word, when and why: from the till's log itself, newest first.",
    ),
    "acts.more": Words("Показаны последние; все – в отчёте acts.", "The last ones are shown; the report acts has all."),
    "acts.at": Words("Когда", "When"),
    "acts.what": Words("Что", "What"),
    "acts.by": Words("Кто", "Who"),
    "acts.approved_by": Words("С чьего слова", "Approved by"),
    "acts.member": Words("Участник", "Member"),
    "acts.about": Words("О чём", "About"),
    "acts.points": Words("Баллы", "Points"),
    "acts.reason": Words("Почему", "Reason"),
    "acts.place": Words("Касса и номер", "Till and number"),
    "acts.none": Words("Пока ничего.", "Nothing yet."),
    "act.sale.reversed": Words("Чек отменён целиком", "Sale voided"),
    "act.sale.returned": Words("Возврат", "Return"),
    "act.sale.claimed": Words("Баллы за забытую карту", "Forgotten card"),
    "act.member.changed": Words("Участник изменён", "Member changed"),
    "act.member.merged": Words("Участники объединены", "Members merged"),
    "act.member.tiered": Words("Уровень изменён", "Tier changed"),
    "act.points.adjusted": Words("Баллы вручную", "Points by hand"),
    "act.gift_card.changed": Words("Подарочная карта", "Gift card"),
    "act.coupons.added": Words("Купоны добавлены", "Coupons added"),
    "problem.not-allowed": Words("Нужно чужое слово или подтверждение.", "Somebody's word or confirmation is missing."),
    "problem.not-found": Words("Не найдено.", "Not found."),
    "problem.conflict": Words("Противоречит сохранённому.", "It contradicts what is stored."),
    "problem.quote-stale": Words("Расчёт устарел: проверьте новую сумму.", "The quote ran out: check the new amount."),
    "problem.store-full": Words("Диск кассы заполнен, продажа не записана.", "The till's disk is full; nothing was written."),
    "problem.store-busy": Words("Касса занята, повторите.", "The till is busy; try again."),
    "problem.commit-unknown": Words(
        "Неизвестно, записана ли продажа: повторите.", "It is not known whether it was stored: try again."
    ),
    "problem.request": Words("Запрос составлен неверно.", "The request is malformed."),
    "problem.method": Words("Так обратиться нельзя.", "No such method here."),
    "problem.timeout": Words("Запрос не пришёл вовремя.", "The request did not arrive in time."),
    "problem.too-large": Words("Запрос слишком велик.", "The request is too large."),
    "problem.media": Words("Нужен JSON без сжатия.", "Plain JSON is needed."),
    "problem.foreign-host": Words("Касса открыта не по своему адресу.", "That is not the till's own address."),
    "problem.foreign-page": Words("Чужой странице нельзя.", "A foreign page may not do this."),
    "problem.unknown": Words("Что-то сломалось; проданное не потеряно.", "Something broke; nothing sold is lost."),
}


def tr(language: Language, key: str, **values: object) -> str:
    """The words for a key with its holes filled. An unknown key or a hole without a value is a fault of ours: KeyError."""
    text = WORDS[key].ru if language == "ru" else WORDS[key].en
    if "{" not in text:
        return text
    return text.format_map(values)


def catalogue(language: Language) -> dict[str, str]:
    """All words of a language, holes unfilled, for the page."""
    return {key: words.ru if language == "ru" else words.en for key, words in WORDS.items()}


def plural_form(language: Language, whole: int, *, has_fraction: bool = False) -> str:
    """``one``, ``few``, ``many`` or ``part``. **Source:** Unicode CLDR, plural rules of ru and en."""
    if has_fraction:
        return "part"
    if language == "en":
        return "one" if whole == 1 else "many"
    if whole % 100 in range(11, 15):
        return "many"
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(whole % 10, "many")


def points(language: Language, centi: Points | int) -> str:
    """Points with their word: ``1 балл``, ``1,5 балла``, ``1 234 балла``."""
    whole, rest = divmod(abs(centi), CENTI_PER_POINT)
    word = tr(language, "point." + plural_form(language, whole, has_fraction=rest != 0))
    return f"{number(language, centi)}{NO_BREAK}{word}"


def number(language: Language, centi: int) -> str:
    """Hundredths without needless zeros: ``1 234,5``."""
    whole, rest = divmod(abs(centi), 100)
    shown = str(whole) if whole < 1000 else _grouped(language, whole)
    if rest:
        shown += _fraction(language, f"{rest:02d}".rstrip("0"))
    return MINUS + shown if centi < 0 else shown


def amount(language: Language, minor: Minor | int) -> str:
    """Money without its currency: ``1 234,50`` or ``1,234.50``."""
    whole, rest = divmod(abs(minor), MINOR_PER_UNIT)
    shown = str(whole) if whole < 1000 else _grouped(language, whole)
    point = "," if language == "ru" else "."
    return f"{MINUS if minor < 0 else ''}{shown}{point}{rest:02d}"


def money(language: Language, minor: Minor | int, currency: str) -> str:
    """Money with its currency: ``1 234,50 ₽`` or ``1,234.50 RUB``."""
    return f"{amount(language, minor)}{NO_BREAK}{SIGNS.get(currency, currency) if language == 'ru' else currency}"


def quantity_text(language: Language, milli: Thousandths | int) -> str:
    """A quantity: ``2``, ``0,345``."""
    whole, rest = divmod(milli, 1000)
    return _grouped(language, whole) + _fraction(language, f"{rest:03d}".rstrip("0"))


def day_text(language: Language, at: datetime) -> str:
    """The date of an instant in the zone that it carries: ``21.11.2026`` or ``21 Nov 2026``."""
    return date_text(language, at)


def date_text(language: Language, day: date) -> str:
    """A date: ``21.11.2026`` or ``21 Nov 2026``."""
    if language == "ru":
        return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"
    return f"{day.day}{NO_BREAK}{MONTHS[day.month - 1]}{NO_BREAK}{day.year:04d}"


def time_text(language: Language, at: datetime) -> str:
    """Date and time of an instant in the zone that it carries, to the minute."""
    return f"{day_text(language, at)} {at.hour:02d}:{at.minute:02d}"


def _grouped(language: Language, whole: int) -> str:
    return f"{whole:,}".replace(",", NO_BREAK) if language == "ru" else f"{whole:,}"


def _fraction(language: Language, digits: str) -> str:
    return ("," if language == "ru" else ".") + digits if digits else ""
