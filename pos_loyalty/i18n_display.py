"""The words that turn to the buyer, on a display of two lines and on a monitor. ``i18n`` has them among its own.

Those of the two lines are short: a label and an amount share twenty signs.
"""

from __future__ import annotations

from pos_loyalty.i18n_paper import Words

DISPLAY: dict[str, Words] = {
    "display.title": Words("Экран покупателя", "Buyer's screen"),
    "display.greeting": Words("Добро пожаловать!", "Welcome!"),
    "display.hello": Words("Здравствуйте!", "Hello!"),
    "display.hello_name": Words("Здравствуйте, {name}!", "Hello, {name}!"),
    "display.balance": Words("Ваши баллы", "Your points"),
    "display.due": Words("К оплате", "To pay"),
    "display.gross": Words("Без скидок", "Before savings"),
    "display.saved": Words("Скидка", "You save"),
    "display.by_points": Words("Баллами", "With points"),
    "display.will_earn": Words("Начислим", "You will earn"),
    "display.pay": Words("Оплатите,пожалуйста", "Please pay"),
    "display.pay_title": Words("К оплате, пожалуйста", "Please pay"),
    "display.paid": Words("Оплачено", "Paid"),
    "display.change": Words("Сдача", "Change"),
    "display.earned": Words("Начислено", "Earned"),
    "display.thanks": Words("Спасибо за покупку!", "Thank you!"),
    "display.refund": Words("Возврат", "Refund"),
    "display.kg": Words("кг", "kg"),
    "display.lines": Words("Строк", "Lines"),
    "display.goods": Words("Покупка", "Your purchase"),
    "display.more": Words("и ещё строк: {count}", "and more lines: {count}"),
    "display.receipt_code": Words("Ваш чек. Снимите код: по нему примут возврат", "Your receipt. Keep this code for a return"),
    "display.referral": Words("Ваш код для друга", "Your code for a friend"),
    "display.noscript": Words("Включите JavaScript: экран показывает касса.", "Turn JavaScript on: the till fills this screen."),
}
