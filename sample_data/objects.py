"""What the scenes of generate.py are made of: textures, objects composed of solids, and settings."""
from pathlib import Path

import numpy as np
from PIL import Image

from tracer import Setting, Solid, fbm, mix, step, value_noise

HERE = Path(__file__).resolve().parent


# ---- textures: functions of (p, q), see tracer.Solid -----------------------------------------------------------------

def plain(color, grain=0.12, scale=9.0, seed=1):
    color = np.asarray(color)
    return lambda p, q: color * (1 - grain + 2 * grain * fbm(p * scale, seed, 3))[:, None]


def marble(dark, light, seed=2):
    def texture(p, q):
        vein = np.abs(np.sin(p[:, 0] * 5 + p[:, 1] * 3 + 7 * fbm(p * 2.2, seed)))
        return mix(dark, light, vein**0.55)
    return texture


def wood(dark, light, seed=3, stretch=(7.0, 0.7, 7.0)):
    def texture(p, q):
        s = p * np.asarray(stretch)
        ring = fbm(s * 0.6, seed) * 9
        fibre = fbm(p * np.asarray(stretch) * 6, seed + 9, 2)
        return mix(dark, light, np.clip(0.75 * (ring - np.floor(ring)) + 0.35 * fibre, 0, 1))
    return texture


def granite(colors, seed=4, scale=11.0):
    def texture(p, q):
        n = fbm(p * scale, seed, 3)
        speck = value_noise(p * scale * 5, seed + 5)
        base = mix(colors[0], colors[1], step(0.5, n, 0.25))
        return mix(base, colors[2], step(0.78, speck, 0.08))
    return texture


def rings(a, b, count, axis=1, phase=0.0):
    """Bands along an axis of the canonical shape."""
    def texture(p, q):
        wave = np.sin((q[:, axis] + phase) * np.pi * count)
        return mix(a, b, step(0, wave, 0.12)) * (0.9 + 0.2 * value_noise(p * 14, 6))[:, None]
    return texture


def sectors(colors):
    """Segments of a beach ball."""
    palette = np.asarray(colors)
    def texture(p, q):
        turn = (np.arctan2(q[:, 2], q[:, 0]) / (2 * np.pi)) % 1.0
        return np.where(np.abs(q[:, 1:2]) > 0.955, (0.9, 0.9, 0.85), palette[(turn * len(palette)).astype(int) % len(palette)])
    return texture


def spots(base, spot, scale, edge=0.66, seed=7):
    return lambda p, q: mix(base, spot, step(edge, value_noise(p * scale, seed), 0.05)) * (
        0.9 + 0.2 * fbm(p * 10, seed + 1, 2))[:, None]


def planet(p, q):
    land = fbm(q * 1.9 + 3.1, 8)
    sea = mix((0.02, 0.08, 0.3), (0.05, 0.25, 0.5), land)
    ground = mix((0.08, 0.3, 0.06), (0.5, 0.4, 0.2), step(0.6, land, 0.12))
    shore = step(0.52, land, 0.02)[:, None]
    color = sea * (1 - shore) + ground * shore
    cloud = step(0.62, fbm(q * np.array([2.5, 6, 2.5]) + 9, 31), 0.12)
    return mix(color, (0.9, 0.9, 0.92), np.maximum(cloud * 0.8, step(0.86, np.abs(q[:, 1]), 0.05)))


def ribbon(paper, band):
    def texture(p, q):
        near = np.minimum(np.abs(q[:, 0]), np.abs(q[:, 2])) < 0.16
        dots = step(0.7, np.cos(p[:, 0] * 18) * np.cos(p[:, 1] * 18) * np.cos(p[:, 2] * 18) + 0.2, 0.1)
        return np.where(near[:, None], band, mix(paper, np.minimum(np.asarray(paper) * 2.2, 0.9), dots * 0.6))
    return texture


def melon(p, q):
    turn = np.arctan2(q[:, 2], q[:, 0]) * 5 + 1.6 * fbm(p * 7, 12, 3)
    return mix((0.03, 0.16, 0.03), (0.35, 0.55, 0.18), step(0.1, np.sin(turn), 0.6)) * (0.85 + 0.3 * value_noise(p * 20, 13))[:, None]


class PhotoTexture:
    """A CC0 photograph as a tiling grey texture, tinted, looked up on the dominant plane of p."""

    def __init__(self, name, dark, light, size):
        grey = np.asarray(Image.open(HERE / "photos" / f"{name}.jpg").convert("L"), float) / 255
        low, high = np.percentile(grey, [2, 98])
        self.texels = np.clip((grey - low) / (high - low), 0, 1)
        self.dark, self.light, self.size = dark, light, size

    def sample(self, u, v):
        height, width = self.texels.shape
        return self.texels[(v / self.size % 1 * height).astype(int) % height, (u / self.size % 1 * width).astype(int) % width]

    def __call__(self, p, q=None):
        if q is None:  # the ground
            value = self.sample(p[:, 0], p[:, 2])
            return mix(self.dark, self.light, value) * (0.75 + 0.5 * fbm(p * 0.7, 17, 3))[:, None]
        side = np.abs(q).argmax(1)
        u = np.choose(side, [p[:, 2], p[:, 0], p[:, 0]])
        v = np.choose(side, [p[:, 1], p[:, 2], p[:, 1]])
        return mix(self.dark, self.light, self.sample(u, v))


# ---- objects ---------------------------------------------------------------------------------------------------------

def turn_y(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


LYING = np.array([[0, -1.0, 0], [1.0, 0, 0], [0, 0, 1.0]])  # the y axis of the shape along x

WHITE = (0.8, 0.8, 0.78)
BRICK = PhotoTexture("bricks", (0.4, 0.08, 0.04), (0.62, 0.56, 0.5), 1.5)
PEBBLES = PhotoTexture("gravel", (0.06, 0.06, 0.07), (0.6, 0.56, 0.5), 1.3)

# name: parts (shape, scale, centre, texture, keyword arguments of Solid); standing on y = 0, within a radius of about 0.6.
OBJECTS = {
    "marble_ball": [("sphere", (0.55, 0.55, 0.55), (0, 0.55, 0), marble((0.12, 0.14, 0.18), (0.85, 0.83, 0.8)), {"gloss": 0.9})],
    "brick_block": [("box", (0.62, 0.4, 0.4), (0, 0.4, 0), BRICK, {})],
    "barrel": [
        ("cylinder", (0.45, 0.6, 0.45), (0, 0.6, 0), wood((0.16, 0.07, 0.03), (0.5, 0.28, 0.13), stretch=(9, 0.5, 9)), {}),
        ("cylinder", (0.47, 0.05, 0.47), (0, 0.22, 0), plain((0.08, 0.08, 0.09)), {"gloss": 0.6}),
        ("cylinder", (0.47, 0.05, 0.47), (0, 0.98, 0), plain((0.08, 0.08, 0.09)), {"gloss": 0.6}),
    ],
    "traffic_cone": [
        ("cone", (0.4, 0.62, 0.4), (0, 0.66, 0), rings((0.85, 0.22, 0.03), (0.85, 0.85, 0.82), 2.2, phase=0.2), {"gloss": 0.3}),
        ("box", (0.5, 0.045, 0.5), (0, 0.045, 0), plain((0.75, 0.2, 0.04)), {}),
    ],
    "fir_tree": [
        ("cylinder", (0.1, 0.2, 0.1), (0, 0.2, 0), wood((0.1, 0.05, 0.02), (0.3, 0.18, 0.1)), {}),
        ("cone", (0.58, 0.42, 0.58), (0, 0.72, 0), spots((0.03, 0.14, 0.04), (0.12, 0.34, 0.08), 16, 0.5), {"gloss": 0.02}),
        ("cone", (0.46, 0.4, 0.46), (0, 1.12, 0), spots((0.03, 0.14, 0.04), (0.12, 0.34, 0.08), 16, 0.5), {"gloss": 0.02}),
        ("cone", (0.32, 0.36, 0.32), (0, 1.5, 0), spots((0.03, 0.14, 0.04), (0.12, 0.34, 0.08), 16, 0.5), {"gloss": 0.02}),
    ],
    "toadstool": [
        ("cylinder", (0.15, 0.32, 0.15), (0, 0.32, 0), plain((0.75, 0.7, 0.6)), {}),
        ("sphere", (0.55, 0.33, 0.55), (0, 0.72, 0), spots((0.62, 0.03, 0.03), (0.85, 0.82, 0.75), 5.5), {"gloss": 0.5}),
    ],
    "house": [
        ("box", (0.5, 0.38, 0.42), (0, 0.38, 0), plain((0.72, 0.62, 0.4), 0.2), {}),
        ("pyramid", (0.62, 0.3, 0.54), (0, 1.06, 0), rings((0.3, 0.09, 0.06), (0.45, 0.16, 0.1), 8), {}),
        ("box", (0.11, 0.2, 0.02), (-0.2, 0.2, -0.42), wood((0.1, 0.05, 0.03), (0.25, 0.14, 0.08)), {}),
        ("box", (0.12, 0.1, 0.02), (0.2, 0.42, -0.42), plain((0.15, 0.3, 0.45)), {"gloss": 0.8}),
    ],
    "snowman": [
        ("sphere", (0.42, 0.4, 0.42), (0, 0.38, 0), plain(WHITE, 0.08), {}),
        ("sphere", (0.31, 0.3, 0.31), (0, 0.93, 0), plain(WHITE, 0.08), {}),
        ("sphere", (0.22, 0.22, 0.22), (0, 1.36, 0), plain(WHITE, 0.08), {}),
        ("cylinder", (0.17, 0.13, 0.17), (0, 1.63, 0), plain((0.05, 0.05, 0.06)), {}),
        ("cylinder", (0.28, 0.02, 0.28), (0, 1.52, 0), plain((0.05, 0.05, 0.06)), {}),
    ],
    "planet": [("sphere", (0.6, 0.6, 0.6), (0, 0.6, 0), planet, {"gloss": 0.3})],
    "pillar": [
        ("box", (0.42, 0.09, 0.42), (0, 0.09, 0), granite([(0.5, 0.48, 0.45), (0.66, 0.63, 0.6), (0.2, 0.2, 0.2)]), {}),
        ("cylinder", (0.28, 0.62, 0.28), (0, 0.78, 0), granite([(0.5, 0.48, 0.45), (0.66, 0.63, 0.6), (0.2, 0.2, 0.2)]), {}),
        ("box", (0.38, 0.08, 0.38), (0, 1.46, 0), granite([(0.5, 0.48, 0.45), (0.66, 0.63, 0.6), (0.2, 0.2, 0.2)]), {}),
    ],
    "melon": [("sphere", (0.62, 0.46, 0.48), (0, 0.46, 0), melon, {"gloss": 0.4})],
    "gift": [("box", (0.44, 0.36, 0.44), (0, 0.36, 0), ribbon((0.25, 0.05, 0.38), (0.85, 0.65, 0.1)), {"gloss": 0.4})],
    "crystal": [
        ("octahedron", (0.42, 0.75, 0.42), (0, 0.75, 0), marble((0.02, 0.25, 0.3), (0.3, 0.75, 0.7), 21), {"gloss": 1.6}),
        ("octahedron", (0.22, 0.4, 0.22), (0.42, 0.38, -0.1), marble((0.02, 0.25, 0.3), (0.3, 0.75, 0.7), 22), {"gloss": 1.6}),
    ],
    "beach_ball": [("sphere", (0.52, 0.52, 0.52), (0, 0.52, 0),
                    sectors([(0.75, 0.05, 0.05), WHITE, (0.05, 0.2, 0.65), WHITE, (0.85, 0.6, 0.05), WHITE]), {"gloss": 0.6})],
    "boulder": [
        ("sphere", (0.66, 0.46, 0.5), (0, 0.4, 0), PEBBLES, {"gloss": 0.05}),
        ("sphere", (0.32, 0.26, 0.3), (0.55, 0.2, -0.25), PEBBLES, {"gloss": 0.05}),
    ],
    "log": [("cylinder", (0.27, 0.78, 0.27), (0, 0.27, 0), wood((0.07, 0.04, 0.02), (0.36, 0.22, 0.12), 33, (6, 1.2, 6)),
             {"rotation": LYING, "gloss": 0.03})],
}


def place(name, x, z, heading, size=1.0):
    """The solids of an object at (x, z) on the ground."""
    turn = turn_y(heading)
    solids = []
    for shape, scale, center, texture, options in OBJECTS[name]:
        rotation = turn @ options.get("rotation", np.eye(3))
        position = turn @ (np.asarray(center) * size) + np.array([x, 0, z])
        rescaled = (lambda t: lambda p, q: t(p / size, q))(texture)
        solids.append(Solid(shape, np.asarray(scale) * size, position, rescaled, rotation, options.get("gloss", 0.15)))
    return solids


# ---- settings --------------------------------------------------------------------------------------------------------

def sky(zenith, horizon, cloud=0.0, seed=40):
    def backdrop(d):
        height = np.clip(d[:, 1], 0, 1)
        color = mix(horizon, zenith, height**0.6)
        flat = d / np.maximum(d[:, 1:2] + 0.12, 0.05)
        cover = step(0.56, fbm(flat * np.array([0.9, 0, 0.9]) + 5, seed), 0.22) * cloud * np.clip(height * 7, 0, 1)
        return color * (1 - cover[:, None]) + 1.15 * cover[:, None]
    return backdrop


def hills(base, near, far, seed):
    """Two ridges in front of a sky."""
    def backdrop(d):
        color = base(d)
        azimuth = np.stack([d[:, 0] * 5, d[:, 2] * 5, np.zeros(len(d))], 1)
        for level, tint, shift in ((0.13, far, 0), (0.06, near, 50)):
            ridge = level * (2.6 * fbm(azimuth + shift, seed, 5) - 0.75)
            color = np.where((d[:, 1] < ridge)[:, None], np.asarray(tint) * (0.75 + 0.5 * fbm(d * 60, seed + 3, 3))[:, None], color)
        return color
    return backdrop


def tiles(a, b, size):
    def ground(p):
        u, v = p[:, 0] / size, p[:, 2] / size
        odd = (np.floor(u) + np.floor(v)) % 2
        color = mix(a, b, odd) * (0.8 + 0.4 * fbm(p * 3, 51, 4))[:, None]
        joint = np.minimum(np.minimum(u % 1, 1 - u % 1), np.minimum(v % 1, 1 - v % 1)) < 0.02
        return np.where(joint[:, None], 0.12, color)
    return ground


def planks(p):
    board = np.floor(p[:, 0] / 0.55)
    shifted = p * np.array([5, 1, 0.6]) + np.stack([board * 3.7, board, board * 9.1], 1)
    ring = fbm(shifted, 55) * 7
    color = mix((0.2, 0.09, 0.04), (0.55, 0.32, 0.16), 0.7 * (ring - np.floor(ring)) + 0.3 * fbm(shifted * 5, 56, 2))
    tone = 0.8 + 0.4 * lattice_tone(board)
    return np.where((p[:, 0] / 0.55 % 1 < 0.025)[:, None], 0.03, color * tone[:, None])


def lattice_tone(board):
    return value_noise(np.stack([board + 0.5, board * 0 + 0.5, board * 0 + 0.5], 1), 57)


def sand(p):
    ripple = np.sin(p[:, 2] * 9 + 5 * fbm(p * 0.8, 61, 3) + p[:, 0] * 1.5)
    return mix((0.5, 0.38, 0.22), (0.75, 0.6, 0.4), 0.5 + 0.3 * ripple + 0.6 * (fbm(p * 18, 62, 2) - 0.5))


def wallpaper(a, b):
    def wall(p):
        stripe = step(0, np.sin(p[:, 0] * 6.0), 0.1)
        return mix(a, b, stripe) * (0.9 + 0.2 * fbm(p * 6, 65, 3))[:, None]
    return wall


def plaster(color):
    return lambda p: np.asarray(color) * (0.75 + 0.5 * fbm(p * np.array([1.6, 1.6, 1]), 66, 5))[:, None]


BLUE = sky((0.16, 0.34, 0.75), (0.62, 0.75, 0.9), 0.9)
DUSK = sky((0.2, 0.17, 0.4), (1.0, 0.5, 0.25), 0.35, 44)
PALE = sky((0.55, 0.62, 0.7), (0.85, 0.86, 0.86), 0.5, 47)

SETTINGS = {
    "meadow": Setting(PhotoTexture("grass", (0.02, 0.07, 0.01), (0.3, 0.48, 0.1), 3.0),
                      hills(BLUE, (0.1, 0.24, 0.07), (0.2, 0.32, 0.36), 71), (0.6, 0.9, -0.5), haze=0.02),
    "courtyard": Setting(PhotoTexture("bricks", (0.26, 0.1, 0.07), (0.6, 0.53, 0.46), 4.5), PALE, (-0.7, 0.8, -0.4),
                         wall=5.0, wall_texture=plaster((0.72, 0.62, 0.45))),
    "shore": Setting(PhotoTexture("gravel", (0.12, 0.11, 0.11), (0.62, 0.58, 0.54), 3.6),
                     hills(DUSK, (0.1, 0.1, 0.16), (0.32, 0.22, 0.32), 74), (-0.8, 0.35, 0.25), (2.2, 1.3, 0.75),
                     (0.42, 0.4, 0.55), haze=0.03),
    "parlour": Setting(planks, PALE, (0.55, 0.9, -0.8), (1.6, 1.45, 1.2), (0.5, 0.47, 0.42), 0.1, 3.4,
                       wallpaper((0.25, 0.36, 0.33), (0.55, 0.6, 0.5))),
    "hall": Setting(tiles((0.75, 0.73, 0.68), (0.1, 0.12, 0.16), 0.9), PALE, (-0.4, 1.0, -0.7), (1.3, 1.3, 1.35),
                    (0.6, 0.62, 0.66), 0.12, 4.5, plaster((0.45, 0.5, 0.62))),
    "desert": Setting(sand, hills(sky((0.1, 0.3, 0.7), (0.85, 0.75, 0.6), 0.1, 49), (0.5, 0.3, 0.16), (0.6, 0.42, 0.3), 77),
                      (0.8, 0.7, -0.2), (2.1, 1.85, 1.45), haze=0.025),
}
