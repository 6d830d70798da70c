"""The headings that are known, in English and Russian. docs/import.md shows the same tables, and a test compares them."""

from __future__ import annotations

import re

from pos_loyalty.spreadsheet.model import Column, Columns

MEMBER = Column(name="member", en=("Member", "Member id", "Id"), ru=("Участник", "Код участника", "Код клиента", "Код"))
CARD = Column(
    name="card",
    en=("Card", "Card number", "Barcode of the card"),
    ru=("Карта", "Номер карты", "Штрихкод карты", "Бонусная карта", "Дисконтная карта"),
)
PHONE = Column(
    name="phone",
    en=("Phone", "Phone number", "Mobile", "Mobile phone"),
    ru=("Телефон", "Номер телефона", "Мобильный", "Мобильный телефон", "Сотовый"),
)
USABLE_FROM = Column(
    name="usable_from", en=("Usable from", "Active from"), ru=("Доступны с", "Действуют с", "Дата активации", "Начисление с")
)
EXPIRES = Column(
    name="expires", en=("Expires", "Valid until", "Last day"), ru=("Сгорают", "Действуют до", "Срок действия", "Действует до")
)
STATE = Column(name="state", en=("State",), ru=("Состояние", "Статус карты"))

MEMBERS = Columns(
    kind="members",
    one_of=("member", "card", "phone"),
    columns=(
        MEMBER,
        CARD,
        PHONE,
        Column(
            name="name", en=("Name", "Full name"), ru=("Имя", "ФИО", "Ф.И.О.", "Клиент", "Имя клиента", "Наименование клиента")
        ),
        Column(name="birthday", en=("Birthday", "Date of birth", "Birth date"), ru=("День рождения", "Дата рождения")),
        Column(name="tier", en=("Tier", "Level"), ru=("Уровень", "Категория карты", "Статус")),
        Column(name="segments", en=("Segments", "Groups"), ru=("Сегменты", "Группы", "Группа")),
        Column(
            name="data_consent",
            en=("Consent to data", "Data consent"),
            ru=("Согласие на обработку данных", "Согласие на обработку персональных данных", "Согласие на обработку"),
        ),
        Column(
            name="advertising_consent",
            en=("Consent to advertising", "Advertising consent"),
            ru=("Согласие на рекламу", "Согласие на рассылку", "Рассылка"),
        ),
        Column(
            name="joined",
            en=("Joined", "Joined at", "Registered"),
            ru=("Вступил", "Дата вступления", "Дата регистрации", "Зарегистрирован"),
        ),
        Column(name="referred_by", en=("Referred by", "Invited by"), ru=("Пригласил", "Кто пригласил")),
        Column(name="state", en=("State",), ru=("Состояние",)),
    ),
)
CARDS = Columns(
    kind="cards",
    one_of=("member", "phone"),
    columns=(
        Column(name="number", en=("New card", *CARD.en), ru=("Новая карта", *CARD.ru), needed=True),
        MEMBER,
        PHONE,
        STATE,
    ),
)
BALANCES = Columns(
    kind="balances",
    one_of=("member", "card", "phone"),
    columns=(
        MEMBER,
        CARD,
        PHONE,
        Column(
            name="points",
            en=("Points", "Balance"),
            ru=("Баллы", "Баланс", "Остаток", "Бонусы", "Остаток баллов", "Баланс баллов"),
            needed=True,
        ),
        USABLE_FROM,
        EXPIRES,
    ),
)
GIFT_CARDS = Columns(
    kind="gift-cards",
    columns=(
        Column(
            name="gift_card",
            en=("Gift card", "Code", "Number", "Gift card number"),
            ru=("Подарочная карта", "Сертификат", "Код", "Номер", "Номер сертификата", "Номер подарочной карты"),
            needed=True,
        ),
        Column(name="amount", en=("Amount", "Balance", "Money"), ru=("Остаток", "Баланс", "Сумма", "Номинал"), needed=True),
        Column(name="pin", en=("PIN", "PIN code"), ru=("ПИН", "PIN-код", "ПИН-код")),
        Column(name="kind", en=("Kind",), ru=("Вид", "Тип")),
        Column(name="series", en=("Series",), ru=("Серия",)),
        Column(name="expires", en=EXPIRES.en, ru=("Действует до", "Срок действия", "Годен до")),
    ),
)
CATALOGUE = Columns(
    kind="catalogue",
    columns=(
        Column(
            name="sku",
            en=("SKU", "Code", "Barcode", "EAN"),
            ru=("Артикул", "Код", "Штрихкод", "Штрих-код", "Код товара"),
            needed=True,
        ),
        Column(name="name", en=("Name", "Title"), ru=("Название", "Наименование", "Товар", "Номенклатура"), needed=True),
        Column(name="price", en=("Price", "Retail price"), ru=("Цена", "Розничная цена", "Цена продажи"), needed=True),
        Column(name="category", en=("Category", "Group"), ru=("Категория", "Группа", "Группа товаров")),
        Column(name="brand", en=("Brand", "Maker"), ru=("Бренд", "Марка", "Производитель", "Торговая марка")),
        Column(name="tags", en=("Tags", "Labels"), ru=("Метки", "Теги", "Признаки")),
        Column(name="measure", en=("Unit", "Measure"), ru=("Единица", "Ед. изм.", "Единица измерения", "Ед.")),
        Column(name="cost", en=("Cost", "Purchase price"), ru=("Себестоимость", "Закупочная цена", "Цена закупки")),
        Column(name="vat", en=("VAT", "VAT rate"), ru=("НДС", "Ставка НДС")),
        Column(name="floor", en=("Floor", "Minimum price"), ru=("Минимальная цена", "Мин. цена", "МРЦ минимальная")),
        Column(
            name="max_price",
            en=("Maximum price", "Printed price"),
            ru=("Максимальная розничная цена", "МРЦ", "Максимальная цена"),
        ),
        Column(name="restriction", en=("Restriction", "Restricted"), ru=("Ограничение", "Вид ограничения")),
        Column(name="strength", en=("Strength", "Alcohol by volume", "ABV"), ru=("Крепость", "Крепость, %")),
        Column(name="volume", en=("Volume", "Volume, ml"), ru=("Объём", "Объём, мл", "Ёмкость")),
        Column(
            name="member_price", en=("Member price", "Card price"), ru=("Цена по карте", "Цена участника", "Цена для участников")
        ),
        Column(name="member_since", en=("Member price since",), ru=("Цена по карте с",)),
        Column(name="member_until", en=("Member price until",), ru=("Цена по карте до",)),
    ),
)
ALL = {each.kind: each for each in (MEMBERS, CARDS, BALANCES, CATALOGUE, GIFT_CARDS)}
REASON_HEADING = "Причина / reason"
ROW_HEADING = "Строка / row"
_NOISE = re.compile(r"[\s._:*№#-]+")


def plain(heading: str) -> str:
    """A heading without what people write differently: case, ё, spaces, points, stars."""
    return _NOISE.sub(" ", heading.casefold().replace("ё", "е")).strip()


OURS = frozenset({plain(REASON_HEADING), plain(ROW_HEADING)})
"""Columns that a file of refused rows has besides; they say nothing when it is read again."""


def names_of(columns: Columns) -> dict[str, str]:
    """Our name by each heading in its plain form; our own names stand for themselves."""
    found: dict[str, str] = {}
    for column in columns.columns:
        for heading in (column.name, *column.en, *column.ru):
            found.setdefault(plain(heading), column.name)
    return found
