"""A small ray tracer for generate.py: textured solids on a ground plane, soft sun shadows, ambient occlusion (numpy)."""
from dataclasses import dataclass, field

import numpy as np

FAR = 1e9


def unit(v):
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


# ---- noise -----------------------------------------------------------------------------------------------------------

def lattice_hash(x, y, z, seed):
    """Integer lattice points to [0, 1)."""
    h = (x * 374761393 + y * 668265263 + z * 2147483647 + seed * 144664633) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 2246822519) & 0xFFFFFFFF
    return (h ^ (h >> 15)) / 4294967296.0


def value_noise(p, seed):
    """Smooth noise in [0, 1) at points [n, 3]."""
    cell = np.floor(p).astype(np.int64)
    f = p - cell
    f = f * f * (3 - 2 * f)
    total = np.zeros(len(p))
    for corner in range(8):
        offset = np.array([corner & 1, corner >> 1 & 1, corner >> 2])
        weight = np.prod(np.where(offset, f, 1 - f), axis=1)
        c = cell + offset
        total += weight * lattice_hash(c[:, 0], c[:, 1], c[:, 2], seed)
    return total


def fbm(p, seed, octaves=5):
    total, amplitude, norm = np.zeros(len(p)), 1.0, 0.0
    for octave in range(octaves):
        total += amplitude * value_noise(p * 2.0**octave, seed + octave)
        norm += amplitude
        amplitude *= 0.5
    return total / norm


def mix(a, b, t):
    return np.asarray(a) * (1 - t[:, None]) + np.asarray(b) * t[:, None]


def step(edge, x, softness=0.02):
    return np.clip((x - edge) / softness + 0.5, 0, 1)


# ---- solids ----------------------------------------------------------------------------------------------------------

@dataclass
class Solid:
    """A canonical shape under an affine map. `texture(p, q)` gives linear RGB [n, 3] from p, the point in the frame of
    the object (unscaled), and q, the point on the canonical shape."""

    shape: str  # sphere, cylinder, cone, box, pyramid, octahedron; all within [-1, 1]^3
    scale: tuple
    position: tuple
    texture: object
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    gloss: float = 0.15

    def __post_init__(self):
        self.scale = np.asarray(self.scale, float)
        self.position = np.asarray(self.position, float)
        self.inverse = np.diag(1 / self.scale) @ self.rotation.T
        self.radius = float(np.linalg.norm(self.scale))

    def intersect(self, origin, direction):
        """Smallest t > 0 along each ray (FAR where none) and the normal on the canonical shape."""
        # Rays that miss the bounding sphere are left out.
        to_center = self.position - origin
        along = np.einsum("ij,ij->i", to_center, direction)
        miss2 = np.einsum("ij,ij->i", to_center, to_center) - along**2
        near = np.flatnonzero((miss2 < self.radius**2) & (along > -self.radius))
        t = np.full(len(origin), FAR)
        normal = np.zeros((len(origin), 3))
        if len(near):
            o = (origin[near] - self.position) @ self.inverse.T
            d = direction[near] @ self.inverse.T
            t[near], normal[near] = INTERSECT[self.shape](o, d)
        return t, normal

    def world_normal(self, normal):
        return unit(normal @ self.inverse)


def first_positive(*candidates):
    t = np.full_like(candidates[0], FAR)
    for c in candidates:
        t = np.where((c > 1e-6) & (c < t), c, t)
    return t


def intersect_sphere(o, d):
    a, b, c = (d * d).sum(1), (o * d).sum(1), (o * o).sum(1) - 1
    disc = b * b - a * c
    root = np.sqrt(np.maximum(disc, 0))
    t = np.where(disc > 0, first_positive((-b - root) / a, (-b + root) / a), FAR)
    return t, o + d * np.minimum(t, 1e6)[:, None]


def intersect_revolution(o, d, slope):
    """Cylinder (slope 0) of radius 1 and -1 <= y <= 1, or cone (slope 1) with its tip at y = 1."""
    if slope:
        # x^2 + z^2 = ((1 - y) / 2)^2
        k, kd = (1 - o[:, 1]) / 2, -d[:, 1] / 2
    else:
        k, kd = np.ones(len(o)), np.zeros(len(o))
    a = d[:, 0] ** 2 + d[:, 2] ** 2 - kd**2
    b = o[:, 0] * d[:, 0] + o[:, 2] * d[:, 2] - k * kd
    c = o[:, 0] ** 2 + o[:, 2] ** 2 - k**2
    a = np.where(np.abs(a) < 1e-12, 1e-12, a)
    disc = b * b - a * c
    root = np.sqrt(np.maximum(disc, 0))
    t = np.full(len(o), FAR)
    normal = np.zeros_like(o)
    for side in ((-b - root) / a, (-b + root) / a):
        p = o + d * side[:, None]
        good = (disc > 0) & (side > 1e-6) & (np.abs(p[:, 1]) <= 1) & (side < t)
        t = np.where(good, side, t)
        wall = np.stack([p[:, 0], np.full(len(p), 0.25 * slope) * (1 - p[:, 1]), p[:, 2]], 1)
        normal = np.where(good[:, None], wall, normal)
    for y in ((-1.0,) if slope else (-1.0, 1.0)):
        cap = (y - o[:, 1]) / np.where(np.abs(d[:, 1]) < 1e-12, 1e-12, d[:, 1])
        p = o + d * cap[:, None]
        good = (cap > 1e-6) & (p[:, 0] ** 2 + p[:, 2] ** 2 <= 1) & (cap < t)
        t = np.where(good, cap, t)
        normal = np.where(good[:, None], np.array([0, y, 0.0]), normal)
    return t, normal


def intersect_planes(o, d, planes):
    """Convex solid {x : n.x <= h} from outside."""
    enter, leave = np.full(len(o), -FAR), np.full(len(o), FAR)
    normal = np.zeros_like(o)
    for *n, h in planes:
        n = np.asarray(n, float)
        rate, room = d @ n, h - o @ n
        t = room / np.where(np.abs(rate) < 1e-12, 1e-12, rate)
        entering = rate < 0
        better = entering & (t > enter)
        normal = np.where(better[:, None], n, normal)
        enter = np.where(better, t, enter)
        leave = np.where(~entering, np.minimum(leave, np.where(np.abs(rate) < 1e-12, np.where(room < 0, -FAR, FAR), t)), leave)
    return np.where((enter < leave) & (enter > 1e-6), enter, FAR), normal


BOX = [(1, 0, 0, 1), (-1, 0, 0, 1), (0, 1, 0, 1), (0, -1, 0, 1), (0, 0, 1, 1), (0, 0, -1, 1)]
PYRAMID = [(0, -1, 0, 1), (2, 1, 0, 1), (-2, 1, 0, 1), (0, 1, 2, 1), (0, 1, -2, 1)]
OCTAHEDRON = [(x, y, z, 1) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]

INTERSECT = {
    "sphere": intersect_sphere,
    "cylinder": lambda o, d: intersect_revolution(o, d, 0),
    "cone": lambda o, d: intersect_revolution(o, d, 1),
    "box": lambda o, d: intersect_planes(o, d, BOX),
    "pyramid": lambda o, d: intersect_planes(o, d, PYRAMID),
    "octahedron": lambda o, d: intersect_planes(o, d, OCTAHEDRON),
}


# ---- rendering -------------------------------------------------------------------------------------------------------

@dataclass
class Setting:
    """Ground and surroundings. `ground(p)` and `backdrop(direction)` give linear RGB; `wall` is the z of a back wall."""

    ground: object
    backdrop: object
    sun: tuple
    sun_color: tuple = (1.9, 1.75, 1.5)
    sky_color: tuple = (0.55, 0.62, 0.75)
    softness: float = 0.04
    wall: float | None = None
    wall_texture: object = None
    haze: float = 0.0


@dataclass
class Camera:
    position: tuple
    target: tuple
    field_of_view: float = 51.0


def nearest(solids, origin, direction):
    best = np.full(len(origin), FAR)
    which = np.full(len(origin), -1)
    normal = np.zeros((len(origin), 3))
    for index, solid in enumerate(solids):
        t, n = solid.intersect(origin, direction)
        closer = t < best
        best[closer], which[closer], normal[closer] = t[closer], index, n[closer]
    return best, which, normal


def blocked(solids, origin, direction, reach=FAR):
    hit = np.zeros(len(origin), bool)
    for solid in solids:
        rest = np.flatnonzero(~hit)
        t, _ = solid.intersect(origin[rest], direction[rest])
        hit[rest] = t < reach
    return hit


def surface_colors(solids, setting, which, point, normal):
    """Albedo [n, 3] and gloss [n]; which: index of a solid, -1 ground, -2 wall."""
    albedo, gloss = np.zeros_like(point), np.zeros(len(point))
    for index, solid in enumerate(solids):
        mine = which == index
        if mine.any():
            local = (point[mine] - solid.position) @ solid.rotation
            albedo[mine] = solid.texture(local, local / solid.scale)
            gloss[mine] = solid.gloss
            normal[mine] = solid.world_normal(normal[mine])
    ground, wall = which == -1, which == -2
    if ground.any():
        albedo[ground] = setting.ground(point[ground])
    if wall.any():
        albedo[wall] = setting.wall_texture(point[wall])
    return albedo, gloss


def shade(solids, setting, point, normal, view, albedo, gloss, rng):
    count = len(point)
    start = point + normal * 1e-4
    toward_sun = unit(unit(np.asarray(setting.sun, float)) + rng.normal(0, setting.softness, (count, 3)))
    lambert = np.maximum((normal * toward_sun).sum(1), 0)
    lit = lambert > 0
    lit[lit] = ~blocked(solids, start[lit], toward_sun[lit])
    # One cosine-weighted sample of the sky's visibility.
    dome = unit(normal + unit(rng.normal(0, 1, (count, 3))) * 0.999)
    dome[:, 1] = np.where(normal[:, 1] > 0.5, np.abs(dome[:, 1]), dome[:, 1])
    open_sky = np.where(blocked(solids, start, dome, 2.5) | (dome[:, 1] < -0.05), 0.25, 1.0)
    half = unit(toward_sun - view)
    specular = gloss * np.maximum((normal * half).sum(1), 0) ** 60 * lit
    light = (lambert * lit)[:, None] * np.asarray(setting.sun_color) + open_sky[:, None] * np.asarray(setting.sky_color)
    return albedo * light + specular[:, None] * np.asarray(setting.sun_color)


def trace(solids, setting, origin, direction, rng):
    color = setting.backdrop(direction)
    t, which, normal = nearest(solids, origin, direction)
    ground = np.where(direction[:, 1] < -1e-4, -origin[:, 1] / np.minimum(direction[:, 1], -1e-4), FAR)
    closer = (ground < t) & (ground < 60)
    t[closer], which[closer], normal[closer] = ground[closer], -1, (0, 1, 0)
    if setting.wall is not None:
        wall = (setting.wall - origin[:, 2]) / np.where(np.abs(direction[:, 2]) < 1e-9, 1e-9, direction[:, 2])
        closer = (wall > 0) & (wall < t)
        t[closer], which[closer], normal[closer] = wall[closer], -2, (0, 0, -1)
    hit = np.flatnonzero(t < FAR)
    point, normals, view = origin[hit] + direction[hit] * t[hit][:, None], normal[hit], direction[hit]
    albedo, gloss = surface_colors(solids, setting, which[hit], point, normals)
    shaded = shade(solids, setting, point, normals, view, albedo, gloss, rng)
    fog = 1 - np.exp(-setting.haze * np.maximum(t[hit] - 4, 0))
    color[hit] = shaded * (1 - fog[:, None]) + color[hit] * fog[:, None]
    return color


def rays(camera, size, jitter):
    """Origin and direction [h * w, 3] of a ray through each pixel; jitter: where in the pixel, [h * w, 2] in [0, 1)."""
    width, height = size
    eye, target = np.asarray(camera.position, float), np.asarray(camera.target, float)
    forward = unit(target - eye)
    right = unit(np.cross([0, 1.0, 0], forward))
    up = np.cross(forward, right)
    tangent = np.tan(np.radians(camera.field_of_view) / 2)
    column, row = np.meshgrid(np.arange(width), np.arange(height))
    x = ((column.ravel() + jitter[:, 0]) / width * 2 - 1) * tangent
    y = (1 - (row.ravel() + jitter[:, 1]) / height * 2) * tangent * height / width
    direction = unit(forward + x[:, None] * right + y[:, None] * up)
    return np.broadcast_to(eye, direction.shape), direction


def visible(solids, camera, size):
    """Which solid the middle of each pixel shows, [h, w]; -1 = none."""
    origin, direction = rays(camera, size, np.full((size[0] * size[1], 2), 0.5))
    return nearest(solids, origin, direction)[1].reshape(size[1], size[0])


def render(solids, setting, camera, size, rng, samples=3):
    """An 8 bit sRGB picture [h, w, 3]; samples x samples rays per pixel."""
    width, height = size
    total = np.zeros((width * height, 3))
    for sub in range(samples * samples):
        jitter = (np.array([sub % samples, sub // samples]) + rng.random((width * height, 2))) / samples
        total += np.minimum(trace(solids, setting, *rays(camera, size, jitter), rng), 2.0)
    linear = (total / samples**2).reshape(height, width, 3)
    yy, xx = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    linear *= (1 - 0.16 * (xx**2 + yy**2))[..., None]  # vignette
    linear = linear * (1 + linear / 4) / (1 + 0.72 * linear)
    encoded = np.clip(linear, 0, 1) ** (1 / 2.2) + rng.normal(0, 0.006, linear.shape)
    encoded = encoded + 0.16 * encoded * (1 - encoded) * (2 * encoded - 1)  # a gentle S curve
    return np.round(np.clip(encoded, 0, 1) * 255).astype(np.uint8)
