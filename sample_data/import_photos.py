#!/usr/bin/env python3
"""Makes photos/ and SOURCES.md from photographs that Debian and PyPI packages ship under free licences.

Run once by a maintainer; the results are committed. It wants a folder into which these packages were unpacked, each
under its own name (dpkg-deb -x, unzip or tar):

    lomiri-wallpapers-16.04, lomiri-wallpapers-20.04, blender-data   Debian 12
    scikit-image (0.19.3, source), scikit-learn, scipy (1.9.3)       PyPI

Needs numpy, Pillow and OpenEXR.  usage: import_photos.py UNPACKED_DIR
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

HERE = Path(__file__).resolve().parent
LONG_SIDE = 448
QUALITY = 85

CC0 = "CC0 1.0"
PD = "public domain"
BY2 = "CC BY 2.0"
BY4 = "CC BY 4.0"
SA3 = "CC BY-SA 3.0"
SA4 = "CC BY-SA 4.0"
LICENCE_URLS = {
    CC0: "https://creativecommons.org/publicdomain/zero/1.0/",
    PD: "",
    BY2: "https://creativecommons.org/licenses/by/2.0/",
    BY4: "https://creativecommons.org/licenses/by/4.0/",
    SA3: "https://creativecommons.org/licenses/by-sa/3.0/",
    SA4: "https://creativecommons.org/licenses/by-sa/4.0/",
}

SKIMAGE = "scikit-image/skimage/data/"
SKLEARN = "scikit-learn/sklearn/datasets/images/"
LOMIRI16 = "lomiri-wallpapers-16.04/usr/share/backgrounds/"
LOMIRI20 = "lomiri-wallpapers-20.04/usr/share/backgrounds/"
WORLD = "blender-data/usr/share/blender/datafiles/studiolights/world/"

# name, file in its package, licence, author, where the package says so
PHOTOS = [
    ("astronaut", SKIMAGE + "astronaut.png", PD, "NASA", "skimage.data.astronaut"),
    ("camera", SKIMAGE + "camera.png", CC0, "Lav Varshney", "skimage.data.camera"),
    ("cat", SKIMAGE + "chelsea.png", CC0, "Stefan van der Walt", "skimage.data.chelsea"),
    ("coffee", SKIMAGE + "coffee.png", CC0, "Rachel Michetti", "skimage.data.coffee"),
    ("rocket", SKIMAGE + "rocket.jpg", PD, "SpaceX", "skimage.data.rocket"),
    ("galaxies", SKIMAGE + "hubble_deep_field.jpg", PD, "NASA", "skimage.data.hubble_deep_field"),
    ("retina", SKIMAGE + "retina.jpg", CC0, "Häggström, Mikael", "skimage.data.retina"),
    ("bricks", SKIMAGE + "brick.png", CC0, "CC0Textures", "skimage.data.brick"),
    ("grass", SKIMAGE + "grass.png", CC0, "linolafett (DeviantArt)", "skimage.data.grass"),
    ("gravel", SKIMAGE + "gravel.png", CC0, "CC0Textures", "skimage.data.gravel"),
    ("raccoon", "scipy/scipy/misc/face.dat", PD, "public-domain-image.com", "scipy.misc.face"),
    ("pagoda", SKLEARN + "china.jpg", BY2, "danielbuechele (flickr)", "sklearn/datasets/images/README.txt"),
    ("dahlia", SKLEARN + "flower.jpg", BY2, "vultilion (flickr)", "sklearn/datasets/images/README.txt"),
    ("dandelions", LOMIRI16 + "seeding_by_Clements_Engelhardt.jpg", CC0, "Clemens Engelhardt", "debian/copyright"),
    ("autumn_hills", LOMIRI16 + "aitzgorri_by_Aitzol_Berasategi.jpg", BY4, "Aitzol Berasategi", "debian/copyright"),
    ("two_dogs", LOMIRI16 + "friends_by_Aitzol_Berasategi.jpg", BY4, "Aitzol Berasategi", "debian/copyright"),
    ("brook", LOMIRI16 + "life_by_Aitzol_Berasategi.jpg", BY4, "Aitzol Berasategi", "debian/copyright"),
    ("mountains", LOMIRI16 + "picosdeeuropa_by_Aitzol_Berasategi.jpg", BY4, "Aitzol Berasategi", "debian/copyright"),
    ("sunset", LOMIRI16 + "sunset_by_Aitzol_Berasategi.jpg", BY4, "Aitzol Berasategi", "debian/copyright"),
    ("red_bowl", LOMIRI16 + "Picture_0B_by_freespace.jpg", BY4, "Trevor “Freespace”", "debian/copyright"),
    ("paint_brushes", LOMIRI16 + "Picture_1A_by_freespace.jpg", BY4, "Trevor “Freespace”", "debian/copyright"),
    ("wine_room", LOMIRI16 + "Wine_by_Jakkub_Mede.jpg", BY4, "Jakub Mede", "debian/copyright"),
    ("bridge", LOMIRI16 + "Bridge_by_Sander_Klootwijk.jpg", SA4, "Sander Klootwijk", "debian/copyright"),
    ("leaves", LOMIRI16 + "Dragonfly_by_Bolly.jpg", SA4, "“Bolly”", "debian/copyright"),
    ("flying_bird", LOMIRI16 + "free_by_Peter_Nerlich.jpg", SA4, "Peter Nerlich", "debian/copyright"),
    ("clock", LOMIRI16 + "greentock_by_Peter_Nerlich.jpg", SA4, "Peter Nerlich", "debian/copyright"),
    ("nuthatch", LOMIRI20 + "Kleiber_by_Lukas_Baubkus.jpg", SA3, "Lukas Baubkus", "debian/copyright"),
]

# Views into the CC0 panoramas of blender-data: name, panorama, heading and pitch in degrees, exposure in stops.
VIEWS = [
    ("city_street", "city", 20, 4, 0.0),
    ("city_street_left", "city", -20, 4, 0.0),
    ("city_back", "city", 180, 4, 0.0),
    ("courtyard", "courtyard", 0, 6, 1.5),
    ("courtyard_left", "courtyard", -40, 6, 1.5),
    ("courtyard_back", "courtyard", 165, 6, 1.5),
    ("forest", "forest", 40, 2, 1.8),
    ("forest_left", "forest", 0, 2, 1.8),
    ("forest_path", "forest", 200, -4, 1.8),
    ("room", "interior", 0, 0, 0.4),
    ("room_left", "interior", -42, 0, 0.4),
    ("room_back", "interior", 170, 0, 0.4),
    ("night", "night", 0, 2, 2.6),
    ("night_right", "night", 40, 2, 2.6),
    ("sunrise", "sunrise", 0, 2, 1.6),
    ("sunrise_left", "sunrise", -40, 2, 1.6),
    ("evening", "sunset", 90, 2, 0.6),
    ("evening_right", "sunset", 130, 2, 0.6),
]


def srgb(linear):
    linear = np.clip(linear, 0, None)
    linear = linear * (1 + linear / 16) / (1 + linear)  # rolls off highlights
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(linear, 1 / 2.4) - 0.055)


def panorama_view(path, heading, pitch, stops, size=(384, 256), field_of_view=96.0):
    """A pinhole view into an equirectangular panorama, bilinear, tone-mapped to 8 bit sRGB."""
    import OpenEXR

    with OpenEXR.File(str(path)) as file:
        pano = file.channels()["RGB"].pixels.astype(np.float64)
    height, width, _ = pano.shape
    w, h = size[0] * 2, size[1] * 2
    focal = 0.5 * w / np.tan(np.radians(field_of_view) / 2)
    x, y = np.meshgrid(np.arange(w) + 0.5 - w / 2, h / 2 - (np.arange(h) + 0.5))
    yaw, tilt = np.radians(heading), np.radians(pitch)
    forward = focal * np.cos(tilt) - y * np.sin(tilt)
    up = focal * np.sin(tilt) + y * np.cos(tilt)
    longitude = np.arctan2(x, forward) + yaw
    latitude = np.arctan2(up, np.hypot(x, forward))
    u = (longitude / (2 * np.pi) + 0.5) * width - 0.5
    v = np.clip((0.5 - latitude / np.pi) * height - 0.5, 0, height - 1.001)
    u0, v0 = np.floor(u).astype(int), np.floor(v).astype(int)
    fu, fv = (u - u0)[..., None], (v - v0)[..., None]
    pick = lambda row, column: pano[row, column % width]
    top = pick(v0, u0) * (1 - fu) + pick(v0, u0 + 1) * fu
    bottom = pick(v0 + 1, u0) * (1 - fu) + pick(v0 + 1, u0 + 1) * fu
    view = srgb((top * (1 - fv) + bottom * fv) * 2.0**stops)
    image = Image.fromarray(np.round(np.clip(view, 0, 1) * 255).astype(np.uint8))
    return image.resize(size, Image.Resampling.BOX)


def load(path):
    if path.suffix == ".dat":  # scipy ships bzip2-compressed raw RGB
        import bz2

        raw = np.frombuffer(bz2.decompress(path.read_bytes()), np.uint8)
        return Image.fromarray(raw.reshape(768, 1024, 3))
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def main():
    packages = Path(sys.argv[1])
    target = HERE / "photos"
    target.mkdir(exist_ok=True)
    rows = []
    for name, path, licence, author, evidence in PHOTOS:
        image = load(packages / path)
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        image.save(target / f"{name}.jpg", quality=QUALITY, optimize=True)
        package, _, inside = path.partition("/")
        rows.append((name, licence, author, package, inside.rsplit("/", 1)[-1], evidence))
    for name, panorama, heading, pitch, stops in VIEWS:
        image = panorama_view(packages / WORLD / f"{panorama}.exr", heading, pitch, stops)
        image.save(target / f"{name}.jpg", quality=QUALITY, optimize=True)
        rows.append((name, CC0, "Greg Zaal (HDRI Haven)", "blender-data", f"{panorama}.exr, heading {heading}°",
                     "studiolights/world/license.txt"))
    write_sources(rows)


def write_sources(rows):
    lines = [
        "# Where the photographs come from",
        "",
        "Everything under `scenes/` was made by `generate.py` of this project and is under the project's own licence.",
        "The photographs under `photos/` come from packages of Debian 12 and PyPI that ship them under free licences;",
        f"`import_photos.py` scaled them to at most {LONG_SIDE} pixels (panoramas: it rendered views of 96 degrees) and",
        "changed nothing else. Pictures under `variants/` are made from them by `generate.py` and stay under the licence of",
        "the photograph whose name they begin with.",
        "",
        "| photograph | licence | author | package | file | the package says so in |",
        "|---|---|---|---|---|---|",
    ]
    for name, licence, author, package, file, evidence in rows:
        url = LICENCE_URLS[licence]
        linked = f"[{licence}]({url})" if url else licence
        lines.append(f"| `{name}.jpg` | {linked} | {author} | {package} | {file} | {evidence} |")
    (HERE / "SOURCES.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
