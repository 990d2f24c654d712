"""Pictures that nobody took: painted scenes, rich enough for a perceptual hash to hold on to.

Each function returns an RGB picture and always the same one.
"""

from functools import cache

import numpy as np
from PIL import Image

from archiver.demo.painting import Canvas, Colour, Pen, blend, finish, glow, gradient, noise, shapes

WIDTH, HEIGHT = 1200, 800
_INK: Colour = (22, 24, 38)


@cache
def harbour() -> Image.Image:
    """A ferry in a harbour at dusk, cranes behind it; 1200 x 800."""
    horizon = 470
    sky = gradient(
        WIDTH,
        horizon,
        [(0, (38, 54, 98)), (0.55, (146, 118, 138)), (0.85, (240, 160, 104)), (1, (252, 204, 140))],
    )
    clouds = noise(WIDTH, horizon, (3, 9), seed=11, octaves=5)
    sky = blend(sky, (96, 74, 104), np.clip((clouds - 0.5) * 2.2, 0, 0.75))
    sky = glow(sky, (820, 436), 190, (255, 190, 110), 0.8)
    sky = shapes(sky, lambda pen: pen.disc((820, 436), 30, (255, 240, 206)))
    sky = shapes(sky, _hills)
    sky = shapes(sky, _cranes)
    canvas = np.concatenate([sky, _water(sky, HEIGHT - horizon)])
    canvas = shapes(canvas, _ferry)
    for x in range(40, 520, 68):
        canvas = glow(canvas, (x, 452), 9, (255, 220, 150), 0.9)
        canvas = glow(canvas, (x, 510 + x % 30), 14, (255, 200, 120), 0.35)
    return finish(canvas, seed=12)


def _hills(pen: Pen) -> None:
    ridge = [(x, 420 - 34 * np.sin(x / 170) - 16 * np.sin(x / 61 + 1)) for x in range(0, WIDTH + 1, 12)]
    pen.area([*ridge, (WIDTH, 470), (0, 470)], (74, 66, 94))


def _cranes(pen: Pen) -> None:
    pen.box(0, 446, 560, 470, _INK)
    for x, size in ((90, 1.0), (230, 1.18), (390, 0.92)):
        top = 446 - 190 * size
        for leg in (0, 46 * size):
            pen.line([(x + leg, 446), (x + leg, top + 40)], _INK, 6)
        pen.line([(x, 400), (x + 46 * size, 446)], _INK, 3)
        pen.line([(x - 70 * size, top + 40), (x + 190 * size, top + 40)], _INK, 7)
        pen.line([(x - 66 * size, top + 40), (x + 23, top - 20), (x + 186 * size, top + 40)], _INK, 2.5)
        pen.line([(x + 23, top - 20), (x + 23, top + 40)], _INK, 4)
        pen.line([(x + 140 * size, top + 40), (x + 140 * size, top + 92)], _INK, 1.5)
        pen.box(x + 128 * size, top + 92, x + 152 * size, top + 108, (120, 52, 46))


def _water(sky: Canvas, height: int) -> Canvas:
    """The sky upside down, shifted sideways by ripples that grow towards the viewer."""
    rows = np.linspace(sky.shape[0] - 1, 40, height).astype(int)
    mirror = sky[rows]
    ripples = noise(WIDTH, height, (12, 60), seed=13, octaves=3)[:, :, 0] - 0.5
    reach = np.linspace(6, 90, height)[:, None]
    columns = np.clip(np.arange(WIDTH)[None, :] + (ripples * reach), 0, WIDTH - 1).astype(int)
    moved = np.take_along_axis(mirror, columns[:, :, None], axis=1)
    waves = blend(moved, (26, 40, 70), 0.28 + 0.5 * np.clip(ripples, 0, 1)[:, :, None])
    return waves * np.linspace(0.96, 0.55, height)[:, None, None].astype(np.float32)


def _ferry(pen: Pen) -> None:
    pen.area([(560, 560), (1120, 560), (1080, 622), (604, 622)], (30, 52, 92))
    pen.area([(560, 560), (1120, 560), (1114, 570), (566, 570)], (226, 92, 60))
    pen.box(612, 506, 1060, 560, (240, 236, 226))
    pen.box(660, 462, 990, 506, (230, 226, 218))
    pen.area([(700, 428), (830, 428), (846, 462), (684, 462)], (244, 240, 232))
    pen.box(890, 412, 936, 462, (226, 92, 60))
    pen.box(890, 412, 936, 424, _INK)
    pen.line([(766, 428), (766, 372)], _INK, 4)
    pen.line([(740, 392), (792, 392)], _INK, 2.5)
    for x in range(632, 1040, 30):
        pen.box(x, 522, x + 16, 540, (255, 214, 128))
    for x in range(676, 980, 26):
        pen.box(x, 476, x + 15, 492, (250, 206, 124))
    for x in range(708, 824, 22):
        pen.box(x, 438, x + 15, 450, (70, 96, 126))
    for offset in range(5):
        pen.line([(470 - 30 * offset, 630 + 11 * offset), (600, 618 + 5 * offset)], (206, 204, 210), 2)


@cache
def street() -> Image.Image:
    """A wet street between lit houses, seen upright; 800 x 1200."""
    width, height = HEIGHT, WIDTH
    canvas = gradient(
        width,
        height,
        [(0, (58, 78, 116)), (0.4, (148, 152, 168)), (0.56, (226, 196, 162)), (1, (60, 60, 72))],
    )
    canvas = blend(canvas, (206, 210, 222), 0.5 * np.clip(noise(width, height, (3, 6), seed=21) - 0.35, 0, 1))
    canvas = shapes(canvas, _houses)
    canvas = shapes(canvas, _road)
    wet = noise(width, height, (5, 18), seed=22)
    wet[:680] = 0
    canvas = blend(canvas, (236, 190, 130), 0.35 * np.clip(wet - 0.5, 0, 1))
    canvas = shapes(canvas, _wires_and_lamps)
    for x, y in ((132, 470), (236, 566), (668, 470), (564, 566)):
        canvas = glow(canvas, (x, y), 40, (255, 206, 130), 0.9)
        canvas = glow(canvas, (x, 1240 - y / 1.6), 60, (255, 190, 110), 0.3)
    return finish(canvas, seed=23, grain=3.5)


def _houses(pen: Pen) -> None:
    rng = np.random.default_rng(24)
    colours: tuple[Colour, ...] = (
        (128, 84, 72),
        (166, 134, 98),
        (92, 96, 110),
        (140, 108, 92),
        (112, 82, 92),
    )
    for side in (-1, 1):
        for number, colour in enumerate(colours):
            near, far = 1 - number * 0.19, 1 - (number + 1) * 0.19
            tall = 560 + 60 * ((number * 3 + (side > 0)) % 4)
            outer, inner = 400 + side * 400 * near, 400 + side * 400 * far
            roof = [690 - tall * near, 690 - tall * far]
            pen.area(
                [(outer, roof[0]), (inner, roof[1]), (inner, 690 + 200 * far), (outer, 690 + 260 * near)],
                colour,
            )
            for storey in range(6):
                for column in range(3):
                    share = (column + 0.3) / 3
                    depth = near + (far - near) * share
                    x = 400 + side * 400 * depth
                    y = 690 - tall * depth * (0.92 - storey * 0.15)
                    wide, high = side * -26 * depth, 46 * depth
                    lit: Colour = (255, 216, 140) if rng.random() < 0.45 else (46, 54, 72)
                    pen.area([(x, y), (x + wide, y + 3), (x + wide, y + high), (x, y + high)], lit)


def _road(pen: Pen) -> None:
    pen.area([(372, 680), (428, 680), (800, 1200), (0, 1200)], (70, 72, 84))
    for left, right in ((384, 250), (392, 330), (408, 470), (416, 550)):
        pen.line([(left, 690), (right, 1200)], (150, 152, 160), 3)
    pen.box(380, 628, 424, 690, (190, 60, 52))  # a tram far away
    pen.box(385, 636, 419, 660, (252, 230, 170))
    for x in (160, 640):
        pen.disc((x, 812), 12, (40, 34, 40))
        pen.area([(x - 15, 826), (x + 15, 826), (x + 20, 930), (x - 20, 930)], (58, 52, 66))
        pen.line([(x - 8, 930), (x - 12, 986)], _INK, 9)
        pen.line([(x + 8, 930), (x + 14, 986)], _INK, 9)


def _wires_and_lamps(pen: Pen) -> None:
    for start in (90, 260, 540, 710):
        pen.line([(start, 0), (402, 632)], (40, 42, 54), 1.5)
    for x, top, foot in ((100, 462, 960), (214, 560, 850), (700, 462, 960), (586, 560, 850)):
        arm = 32 if x < 400 else -32
        pen.line([(x, foot), (x, top), (x + arm, top)], _INK, 5)
        pen.disc((x + arm, top + 8), 10, (255, 240, 200))


@cache
def reading_room() -> Image.Image:
    """A library's reading room: tall windows, shelves, lamps on long tables; 1200 x 800."""
    canvas = gradient(
        WIDTH, HEIGHT, [(0, (92, 70, 54)), (0.5, (128, 98, 72)), (0.75, (96, 68, 50)), (1, (58, 40, 32))]
    )
    canvas = shapes(canvas, _windows)
    canvas = shapes(canvas, _light_on_floor, blur=26, strength=0.45)
    canvas = shapes(canvas, _shelves)
    canvas = shapes(canvas, _tables)
    for x in (250, 480, 720, 950):
        canvas = glow(canvas, (x, 640), 62, (255, 214, 130), 0.75)
    canvas = blend(canvas, (255, 236, 200), 0.1 * noise(WIDTH, HEIGHT, (4, 3), seed=31))
    return finish(canvas, seed=32, grain=2.5)


def _windows(pen: Pen) -> None:
    for x in (430, 600, 770):
        pen.disc((x, 170), 64, (222, 232, 240))
        pen.box(x - 64, 170, x + 64, 470, (206, 222, 236))
        pen.area([(x - 64, 400), (x - 20, 350), (x + 64, 420), (x + 64, 470), (x - 64, 470)], (138, 158, 132))
        for bar in (-32, 0, 32):
            pen.line([(x + bar, 108), (x + bar, 470)], (74, 52, 40), 4)
        for bar in (170, 250, 330, 410):
            pen.line([(x - 64, bar), (x + 64, bar)], (74, 52, 40), 4)


def _light_on_floor(pen: Pen) -> None:
    for x in (430, 600, 770):
        pen.area([(x - 50, 520), (x + 50, 520), (x + 10, 800), (x - 190, 800)], (255, 236, 196))


def _shelves(pen: Pen) -> None:
    rng = np.random.default_rng(33)
    books: tuple[Colour, ...] = (
        (134, 44, 40),
        (44, 72, 104),
        (52, 92, 66),
        (190, 150, 88),
        (92, 62, 100),
        (206, 196, 176),
    )
    for left, right in ((0, 340), (860, 1200)):
        pen.box(left, 60, right, 560, (66, 44, 32))
        for shelf in range(6):
            foot = 134 + shelf * 82
            x = left + 10.0
            while x < right - 22:
                wide, tall = rng.uniform(8, 20), rng.uniform(44, 66)
                pen.box(x, foot - tall, x + wide, foot, books[int(rng.integers(len(books)))])
                x += wide + (14 if rng.random() < 0.06 else 1.5)
            pen.box(left, foot, right, foot + 8, (104, 72, 50))


def _tables(pen: Pen) -> None:
    pen.area([(150, 690), (1050, 690), (1180, 800), (20, 800)], (112, 70, 44))
    pen.area([(150, 690), (1050, 690), (1056, 700), (144, 700)], (156, 104, 66))
    for x in (250, 480, 720, 950):
        pen.line([(x, 716), (x, 640)], (60, 46, 34), 5)
        pen.area([(x - 34, 646), (x + 34, 646), (x + 22, 616), (x - 22, 616)], (46, 110, 78))
        pen.area([(x + 40, 730), (x + 98, 726), (x + 108, 744), (x + 44, 750)], (236, 228, 208))
    for x in (372, 836):
        pen.disc((x, 628), 26, (70, 48, 40))
        pen.area([(x - 52, 694), (x - 34, 660), (x + 34, 660), (x + 52, 694)], (64, 82, 108))


@cache
def marsh() -> Image.Image:
    """Cranes over a marsh in the early morning; 1200 x 800."""
    canvas = gradient(
        WIDTH,
        HEIGHT,
        [(0, (158, 186, 206)), (0.45, (238, 224, 196)), (0.52, (206, 202, 180)), (1, (92, 112, 102))],
    )
    canvas = blend(canvas, (250, 246, 236), 0.7 * np.clip(noise(WIDTH, HEIGHT, (2, 10), seed=41) - 0.4, 0, 1))
    canvas = shapes(canvas, _far_trees, blur=3)
    canvas = glow(canvas, (300, 330), 130, (255, 226, 160), 0.8)
    canvas = glow(canvas, (300, 520), 90, (255, 226, 160), 0.35)
    canvas = shapes(canvas, _birds)
    canvas = shapes(canvas, _reeds)
    return finish(canvas, seed=42)


def _far_trees(pen: Pen) -> None:
    rng = np.random.default_rng(43)
    for x in range(-20, WIDTH, 22):
        pen.disc((x, 408), float(rng.uniform(14, 44)), (116, 134, 122), squash=0.8)
    pen.box(0, 404, WIDTH, 420, (122, 138, 122))


def _birds(pen: Pen) -> None:
    rng = np.random.default_rng(44)
    for number in range(23):
        x = 520 + 27 * number + float(rng.uniform(-12, 12))
        y = 120 + abs(number - 9) * 15 + float(rng.uniform(-9, 9))
        span, lift = float(rng.uniform(18, 34)), float(rng.uniform(-12, 14))
        pen.line(
            [
                (x - span, y - lift),
                (x - span / 3, y - 5),
                (x, y),
                (x + span / 3, y - 5),
                (x + span, y - lift),
            ],
            _INK,
            3,
        )
        pen.line([(x - 14, y + 2), (x + 22, y - 2)], _INK, 3.5)


def _reeds(pen: Pen) -> None:
    rng = np.random.default_rng(45)
    for _ in range(420):
        foot = float(rng.uniform(0, WIDTH))
        tall = float(rng.uniform(60, 250)) * (0.5 + 0.8 * abs(foot - 640) / 640)
        bend = float(rng.uniform(-34, 34))
        shade = int(rng.integers(0, 60))
        colour = (70 + shade, 84 + shade, 52 + shade // 2)
        pen.line([(foot, 800), (foot + bend / 3, 800 - tall / 2), (foot + bend, 800 - tall)], colour, 2.5)
        if shade > 44:
            pen.disc((foot + bend, 800 - tall), 5, (96, 66, 44), squash=3.4)


@cache
def podium() -> Image.Image:
    """A speaker's stand on a stage before an audience; 1200 x 800."""
    canvas = gradient(
        WIDTH, HEIGHT, [(0, (70, 18, 34)), (0.7, (132, 36, 52)), (0.72, (88, 60, 46)), (1, (38, 26, 26))]
    )
    folds = np.sin(np.linspace(0, 46 * np.pi, WIDTH, dtype=np.float32))[None, :, None]
    canvas[:576] *= 0.84 + 0.16 * folds
    canvas = shapes(canvas, _light_cone, blur=30, strength=0.35)
    canvas = shapes(canvas, _stand)
    canvas = glow(canvas, (640, 300), 120, (255, 236, 200), 0.5)
    canvas = shapes(canvas, _audience)
    return finish(canvas, seed=51, grain=4)


def _light_cone(pen: Pen) -> None:
    pen.area([(600, 0), (690, 0), (900, 640), (380, 640)], (255, 240, 210))


def _stand(pen: Pen) -> None:
    pen.disc((640, 262), 38, (196, 150, 120))
    pen.disc((640, 238), 38, (48, 38, 36), squash=0.55)
    pen.area([(566, 440), (588, 318), (692, 318), (716, 440)], (38, 48, 70))
    pen.area([(626, 318), (654, 318), (640, 380)], (240, 240, 240))
    pen.area([(540, 400), (740, 400), (720, 590), (560, 590)], (150, 100, 62))
    pen.area([(526, 386), (754, 386), (740, 408), (540, 408)], (190, 134, 86))
    pen.disc((640, 490), 40, (222, 190, 120))
    for x in (604, 640, 676):
        pen.line([(x, 392), (x + (640 - x) / 3, 336)], (20, 20, 24), 3.5)
        pen.disc((x + (640 - x) / 3, 332), 7, (30, 30, 36))
    for x in (250, 980):
        pen.box(x - 50, 470, x + 50, 576, (60, 90, 62))
        for leaf in range(-3, 4):
            pen.disc((x + leaf * 18, 452 - 12 * (3 - abs(leaf))), 26, (70, 120 + 8 * leaf, 76))


def _audience(pen: Pen) -> None:
    rng = np.random.default_rng(52)
    for row, size in ((650, 24), (704, 30), (770, 38)):
        for x in range(-20 + row % 50, WIDTH + 40, size * 3):
            shade = int(rng.integers(14, 44))
            centre = (x + float(rng.uniform(-8, 8)), row + float(rng.uniform(-6, 6)))
            pen.disc(centre, size, (shade, shade, shade + 10), squash=1.2)
            pen.disc((centre[0], centre[1] + size * 2.3), size * 1.5, (shade + 6, shade + 4, shade + 18))


@cache
def route_map() -> Image.Image:
    """A drawn map of a ferry's way across a bay, in few colours; 640 x 420."""
    canvas = gradient(640, 420, [(0, (190, 216, 232)), (1, (190, 216, 232))])
    return Image.fromarray(shapes(canvas, _coast).astype(np.uint8)).quantize(24).convert("RGB")


def _coast(pen: Pen) -> None:
    land: Colour = (232, 226, 204)
    pen.area([(0, 0), (250, 0), (226, 60), (170, 96), (190, 150), (120, 220), (0, 250)], land)
    pen.area([(640, 150), (560, 176), (520, 250), (456, 268), (430, 340), (470, 420), (640, 420)], land)
    pen.area([(330, 130), (380, 116), (402, 150), (360, 176)], (214, 218, 180))
    for step in range(12):
        x, y = 184 + step * 23, 158 + step * 9 + 26 * np.sin(step / 2)
        pen.line([(x, y), (x + 13, y + 7)], (206, 74, 52), 4)
    for centre in ((180, 150), (462, 268)):
        pen.disc(centre, 9, (206, 74, 52))
        pen.disc(centre, 4, (255, 255, 255))
    pen.area([(70, 330), (84, 396), (70, 382), (56, 396)], (70, 80, 96))


@cache
def placeholder() -> Image.Image:
    """What a mirror shows instead of a picture that it could not have; 480 x 320."""
    canvas = gradient(480, 320, [(0, (226, 228, 232)), (1, (206, 210, 216))])
    return Image.fromarray(shapes(canvas, _frame).astype(np.uint8))


def _frame(pen: Pen) -> None:
    pen.line([(150, 90), (330, 90), (330, 230), (150, 230), (150, 90)], (150, 156, 166), 6)
    pen.area([(166, 216), (220, 150), (256, 192), (280, 168), (314, 216)], (150, 156, 166))
    pen.disc((288, 124), 14, (150, 156, 166))
