"""The live picture: a stream of JPEGs to this machine, to few pages, and none without a camera."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse

from drivers.ports import ViewPicture
from pos_loyalty.web.camera_view import VIEWERS_MAX
from tests.browser import serving as web_serving
from tests.browser.serving import Web, serving
from tests.shop import Shop

JPEG = b"\xff\xd8\xff a picture"


class Still:
    """Implements LiveView: a new picture whenever it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def picture(self, after: int) -> ViewPicture | None:
        self.asked += 1
        return ViewPicture(after + 1, JPEG)


def opened(web: Web) -> tuple[HTTPConnection, HTTPResponse]:
    connection = HTTPConnection("127.0.0.1", web.port, timeout=60)
    connection.request("GET", "/v1/camera.mjpeg")
    return connection, connection.getresponse()


def part(answer: HTTPResponse) -> bytes:
    assert answer.readline() == b"--frame\r\n"
    assert answer.readline() == b"Content-Type: image/jpeg\r\n"
    length = int(answer.readline().removeprefix(b"Content-Length: "))
    assert answer.readline() == b"\r\n"
    body = answer.read(length)
    assert answer.readline() == b"\r\n"
    return body


def test_pictures_follow_one_another_and_end_with_the_till(shop: Shop) -> None:
    with serving(shop.till) as web:
        web.board.view = Still()
        assert web.get("/v1/camera.mjpeg").status == 404
    view = Still()
    with serving(shop.till, view=view) as web:
        connection, answer = opened(web)
        assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=frame"
        assert answer.headers["cache-control"] == "no-store"
        assert [part(answer), part(answer)] == [JPEG, JPEG]
    answer.read()
    connection.close()
    assert view.asked <= 10


def test_without_anybody_who_looks_no_picture_is_made_and_too_many_are_told_so(shop: Shop) -> None:
    view = Still()
    with serving(shop.till, view=view) as web:
        assert web.get("/healthz").status == 200
        assert view.asked == 0
        lookers = [opened(web) for _ in range(VIEWERS_MAX)]
        for _, answer in lookers:
            part(answer)
        connection, answer = opened(web)
        assert answer.status == 503
        connection.close()
        for connection, answer in lookers:
            answer.close()
            connection.close()


def test_the_page_offers_the_picture_only_where_there_is_a_camera(shop: Shop) -> None:
    with serving(shop.till) as web:
        assert b'id="camera"' not in web.get("/").body
    assert web_serving.SHOP.has_view is False
