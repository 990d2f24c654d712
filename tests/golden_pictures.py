"""Pictures whose hashes are written down: made with whole numbers, so that they are the same everywhere."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image


def lattice(seed: int, rows: int, columns: int) -> Any:
    """Random numbers 0 to 255, of a generator that is written out here (Numerical Recipes, section 7.1)."""
    state, found = seed, []
    for _ in range(rows * columns):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        found.append(state >> 24)
    return np.array(found, np.int64).reshape(rows, columns)


def smooth(seed: int, width: int, height: int, cell: int) -> Any:
    """Noise that changes over so many pixels: a lattice between whose points lines are drawn."""
    y, x = np.mgrid[0:height, 0:width]
    points = lattice(seed, height // cell + 2, width // cell + 2)
    row, column, down, right = y // cell, x // cell, y % cell, x % cell
    above = points[row, column] * (cell - right) + points[row, column + 1] * right
    below = points[row + 1, column] * (cell - right) + points[row + 1, column + 1] * right
    return (above * (cell - down) + below * down) // (cell * cell)


def landscape(seed: int, width: int = 480, height: int = 320) -> Any:
    """Like a photograph: light, forms, texture and grain in all sizes. height x width x 3, 8 bits."""
    channels = [
        (
            6 * smooth(seed, width, height, 97)
            + 3 * smooth(seed + 1 + channel, width, height, 31)
            + 2 * smooth(seed + 5, width, height, 7)
            + lattice(seed + 9, 64, 64)[np.arange(height)[:, None] % 64, np.arange(width) % 64]
        )
        // 12
        for channel in range(3)
    ]
    return np.stack(channels, 2).astype(np.uint8)


def card(seed: int, width: int = 600, height: int = 400) -> Any:
    """A chart: bars on white below a heading of blocks."""
    page = np.full((height, width, 3), 255, np.uint8)
    heights = lattice(seed, 1, 9)[0]
    for number, value in enumerate(heights):
        left = 30 + number * (width - 60) // 9
        page[height - 40 - int(value) * (height - 160) // 255 : height - 40, left : left + 35] = (20, 90, 160)
    for number, value in enumerate(lattice(seed + 1, 1, 24)[0]):
        page[25 : 45 + int(value) % 12, 30 + number * 14 : 39 + number * 14] = (0, 0, 0)
    return page


def ramp(width: int = 400, height: int = 300) -> Any:
    return np.broadcast_to(np.linspace(20, 230, width).astype(np.uint8)[None, :, None], (height, width, 3))


def see_through() -> Any:
    """RGBA: the landscape on a black that is transparent on the left, half so in the middle."""
    alpha = np.full((320, 480, 1), 255, np.uint8)
    alpha[:, :160], alpha[:, 160:320] = 0, 128
    return np.concatenate([landscape(7), alpha], 2)


def encoded(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, kind, **options)
    return out.getvalue()


JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABcQERQRDhcUEhQaGBcbIjklIh8fIkYyNSk5UkhXVVFIUE5bZoNvW2F8Yk5QcptzfIeL"
    "kpSSWG2grJ+OqoOPko3/2wBDARgaGiIeIkMlJUONXlBejY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2N"
    "jY2NjY2NjY3/wAARCABwAKADASIAAhEBAxEB/8QAGQAAAwEBAQAAAAAAAAAAAAAAAQIDAAQF/8QAKhAAAgIBBAIBAgYDAAAAAAAA"
    "AAECESEDEjFhQVEicZETgbHB0eEyQqH/xAAXAQEBAQEAAAAAAAAAAAAAAAABAAID/8QAFxEBAQEBAAAAAAAAAAAAAAAAAAERAv/a"
    "AAwDAQACEQMRAD8A89aHRSOnT4wZuhou0SVhiNMp4vz0cznUqKRnaFYL1KeXgK1QONq/+GjC3waIy1M+ybyys9PBtOF9fUUSCpDb"
    "slJaaXFAULVlUeDxksnSvz0c6e10NvwZWK/iXy8AvaSjLP7DajDGbBlq2+bAtSmJHIJc+ixixZStfULheaEhFdWUTddGcakTXxdM"
    "tGeOybWRtNJsG48qNyKpV0aKSNJu8GogpXYywid8FI55RqHBg/lTLqNJexIqLd2WjnsUCW55/Uz+PC+w/HAHlBoTtsOfGBqSNayS"
    "iLb5pgtr6dlXtFklRNYWLSYZNiJ3IdZ5HBhU3f8AZbTW5ZQiRaFJDgwrdOisUn5oSSyJuknSM2DHQ6qxIOpP0TUm0rKR7Rml5lSX"
    "A8F2FrwCiaI092EVjGlYYwsrGNWOjSxVMpF5wL14MrTLRp5SdGg75A1fDGhGiBZ2niiTcrwy8o2SmkvBKJXKx7wI3kaL+QtyilT7"
    "HTt4BJYXoGkneS1acrDtCyXoMY/kOs6p9ieN2GZt8AcbZahr0gp0xfAY/wCTDA53pc4B+HR0JWB39zDpQhFKJm6dFYxw8AlpW8hr"
    "na51mWR28DPSSdgq8MZWdCOpX34KRlu45Iyg15BGW3zk1E6HVOyU42FPcFyaQlzvT9DRhtYZTqQXLGQOjzyNBUJBpyHlhZ8rkzat"
    "U3cfoPHOVz2cyl2VhOvOTOjTS07s1Uh4vchZX9bNyojafHkaK2sV/F3QHqezrIR0lYZqnxgSOOB8yXBysdOqeOIOycp5/gzbToeM"
    "E1ZmuPQXazdAcaHpL19AtJlGUJO2T2dF5RJSx0bjRL2jbr+hOa+g8FcRJXH2CWI/wM8SoZxW0EnpP5Zui0+PyJwST/YtJWGJC8lI"
    "IG3A0Wl0ZxleCqIJPIE8Yasm23wsG5Fp6tUwS06V+ehU2mPF7jcp08IryM4rxg08cAjbM2Olao1fkm5U8cDTuifMsma40Vdhtoot"
    "tWxJyVAIDdv+yck/QYNtlJUuTTccskzZXGCsqfBNp5Ilvz5M2/yNtYyrhokGmsuysnSAnFsWbdDgNy/7FcmsUDSkGeeBxk8JWWUU"
    "16OZWmWi5UFGmpBjGn0CPZfatvBm1aSdr0aEl4ZtSN4JvBrXetN28IldSsflCf7MHOxS/j2ScnuZSnXRJqmyxSHhKgasrsCV8MWU"
    "aHGpBVhS9MWKspt8Ek2/SEarPgf8PNjPCZBKLp9jSnkSnfOAbWINFt8FEubRNPZ5HjOx0YNVJcFoPFJkttsoo+DFqw0b3YLLgjHB"
    "WM8sxacf/9k="
)
WEBP = base64.b64decode(
    "UklGRjoCAABXRUJQVlA4IC4CAADwEQCdASqgAHAAPzmQu1W+uz+yK3hcE/AnCWUG+IURIOEGEA1gf9tLe6WSQQs9pKD/895ZDDa+"
    "W7S67IjSh7Uz1JyjKy4w5moPDI+UG04ThV+3JSX8+ZgAI0QF19DxJnpy1ISNtysUoTSAGE3YiLCCAD1X5Aeawv7Zbahhd9TCTIKi"
    "VxmIRiQiZsI9cHMZmrLc7XJ9wfj++AD+oamp04R9MSPGjrEWnWraPi/sghXL221HqTaLeUfT6ei/HF/7rIJrq94Ta1wFtaezirgi"
    "aVelPj1s9i6mDbSjEee22halAfAccHZmpQpiy6rIYGjAZxJnzxw9ZcJEj52+j4OJ42nO7l7sZRapvmj0oezXy9FLpBGfBHBofjxo"
    "p41GZWOayrKEVyvPnIOUrv/l9vZg9rIkwNXndt46KGfDKWHhQXLeFwvbyuRuk3K7D1T4raIYZfuy3QZexbmJDrWgXup6zYxvsaXx"
    "fpOP1cPw7QmJV+EP8cLoJ56GhGucGqRXqp1GT5dcP6TrP345k230bc6grjfyF3H9FbJrXtJv3pxf6idWNZSa41c8f5XyqVIFYS6R"
    "mVbDEL3v/04VybjUYDum0sqyf086KWQSt3upK/Dw6+JwTSzJ6SXr8yHiLJoJTSc/MH6osq0pH/OUKI/TsgynGmbcSdsGFWanT9Sn"
    "SW+NDuV+ha7A56ZA1OqnmA0iOtBwUQihi0JZSOohu6IvH212FxF2hGzbVyTuf+Gq+7YAAAA="
)


GOLDEN: dict[str, tuple[bytes, str, int | None, str, str]] = {  # bytes, kind, quality, pHash, PDQ
    "photograph": (
        encoded(landscape(0)),
        "photograph",
        100,
        "b18f4d705a0ff238",
        "82f1bd6ce886a3bc97d82f79c939f0f43329718acf064e58e82d2287aad91a78",
    ),
    "PDQ begins with 0": (
        encoded(landscape(19)),
        "photograph",
        100,
        "8a1f4fc0cd1e752a",
        "0a4b1e3bf3460e60f69ae1c9fd81f70b2350622ab8172dbc3719e901e8f9f27c",
    ),
    "tall": (
        encoded(landscape(2, 100, 900)),
        "photograph",
        100,
        "f48228fe64a9f750",
        "dd4e74f904c5882420fbf81a8c2eaf0e9b40d1a5fb7706cade138ffffe0a00a2",
    ),
    "reduced for PDQ": (
        encoded(np.repeat(np.repeat(landscape(5, 500, 312), 4, 0), 4, 1)),
        "photograph",
        100,
        "845ebaf190ea4ab9",
        "ec440537344fbc48f855ba6a0304ea877947af4e74e9a43b74c41ac726ee0e7d",
    ),
    "transparent": (
        encoded(see_through()),
        "photograph",
        100,
        "d3974a4e566a855c",
        "69ad93595555a08badaa92abd255a52b6acaba9d635088ab2db5ad39ab296554",
    ),
    "greys": (
        encoded(landscape(4)[:, :, 0]),
        "photograph",
        100,
        "cb833ae3f9b42328",
        "2095ee64b388c8bbe0e6f61bfe1bfb43e0fff38ada600a96034d0de3362e1340",
    ),
    "card": (
        encoded(card(1)),
        "graphic",
        100,
        "a9961639f12eda49",
        "3fce76c5e1792609b6c940d1ad090609d0d1bfc9042dddba72c7b9cecf344674",
    ),
    "JPEG": (
        JPEG,
        "photograph",
        100,
        "a7053bf1b89211f9",
        "49fd36a139a1f032c2e03946f563daa0fcdc4acf6ec4a6247f0ee9478cec7a10",
    ),
    "WebP": (
        WEBP,
        "photograph",
        58,
        "a7051bf1b89211fb",
        "e9ddf6a13fa1f032c2e03843bd23dcb0fc9c4ac76ac4a624bf0e69478cec7a10",
    ),
    "ramp": (encoded(ramp()), "plain", None, "", ""),
    "one colour": (encoded(ramp()[:, :9].repeat(20, 1)), "plain", None, "", ""),
    "icon": (encoded(landscape(6, 63, 63)), "tiny", None, "", ""),
    "divider": (encoded(landscape(6, 600, 31)), "tiny", None, "", ""),
    "smallest": (
        encoded(landscape(6, 64, 32)),
        "photograph",
        100,
        "8d1454293e2d697f",
        "9ce0f4c9a962665e45c8dc5845a4cbdba938daf3e648fb9ab3be644a2c159294",
    ),
}
