"""Makes the pictures of this folder with Pillow (13.0.0): decoder inputs and the expected results of resizing.

Run: python3 make_images.py   (needs pillow, numpy). The tests read the files; this script is kept so that they can be
understood and made again.
"""
import json
import pathlib

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

HERE = pathlib.Path(__file__).parent


def scene(width, height, seed):
    """Gradients, hard edges, thin lines and noise: what resampling filters disagree about."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rgb = np.stack([255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1), 127 + 127 * np.sin(x / 3 + y / 5)], -1)
    rgb[(x // 7 + y // 5) % 4 == 0] = (255, 255, 255)
    rgb[:, width // 2 : width // 2 + 1] = (0, 0, 0)
    noisy = slice(height // 2, height)
    rgb[noisy, : width // 3] = rng.integers(0, 256, rgb[noisy, : width // 3].shape)
    return Image.fromarray(rgb.round().clip(0, 255).astype(np.uint8))


def photo_like(width, height):
    """Smooth colours that survive JPEG well, different in every corner so that orientations can be told apart."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    rgb = np.stack([40 + 180 * x / width, 40 + 180 * y / height, 200 - 120 * x * y / (width * height)], -1)
    return Image.fromarray(rgb.round().astype(np.uint8))


def photo_details():
    """EXIF as a camera writes it: camera, lens, exposure, time, place."""
    exif = Image.Exif()
    exif[0x010E] = "A garden\nin May"
    exif[0x010F] = "NIKON CORPORATION"
    exif[0x0110] = "NIKON D750"
    exif[0x0131] = "Ver.1.10"
    exif[0x0132] = "2025:01:01 00:00:00"
    exif[0x013B] = "J. Example"
    camera = exif.get_ifd(0x8769)
    camera[0x829A] = IFDRational(10, 2500)
    camera[0x829D] = IFDRational(28, 10)
    camera[0x8827] = 6400
    camera[0x9003] = "2024:05:17 14:03:22"
    camera[0x9004] = "2024:05:18 10:00:00"
    camera[0x9011] = "+02:00"
    camera[0x9204] = IFDRational(-2, 3)
    camera[0x9209] = 16
    camera[0x920A] = IFDRational(85, 1)
    camera[0x9291] = "25"
    camera[0xA405] = 85
    camera[0xA434] = "85.0 mm f/1.8"
    place = exif.get_ifd(0x8825)
    place[1] = "N"
    place[2] = (48.0, 12.0, 30.6)
    place[3] = "W"
    place[4] = (16.0, 22.0, 19.5)
    place[5] = b"\x00"
    place[6] = IFDRational(1713, 10)
    return exif


def main():
    cases = []
    inputs = {(97, 61): [(48, 30), (97, 30), (33, 61), (96, 60), (13, 9), (200, 150), (1, 1), (1, 61), (350, 7), (16, 16)],
              (1, 1): [(5, 7)], (1, 40): [(16, 16)], (40, 1): [(3, 4)], (2, 3): [(64, 32)], (640, 400): [(40, 25), (224, 224)]}
    boxes = {(640, 400): [((120, 0, 520, 400), (64, 64)), ((0.5, 10.25, 399.75, 388.5), (96, 80))]}
    for (w, h), sizes in inputs.items():
        source = f"resize_{w}x{h}.png"
        image = scene(w, h, 1000 * w + h)
        image.save(HERE / source, optimize=True)
        work = [((0, 0, w, h), size) for size in sizes] + boxes.get((w, h), [])
        for index, (box, size) in enumerate(work):
            expected = f"resize_{w}x{h}_{index}.png"
            image.resize(size, Image.Resampling.BICUBIC, box=box).save(HERE / expected, optimize=True)
            cases.append({"input": source, "box": box, "output": expected})
    (HERE / "resize_cases.json").write_text(json.dumps(cases, indent=1) + "\n")

    photo = photo_like(60, 40)
    photo.save(HERE / "photo.png", optimize=True)
    photo.save(HERE / "baseline.jpg", quality=92, subsampling=0)
    photo.save(HERE / "progressive.jpg", quality=92, progressive=True)
    photo.convert("L").save(HERE / "grey.jpg", quality=95)
    photo.convert("CMYK").save(HERE / "cmyk.jpg", quality=95)  # Adobe marker, inverted
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        photo.save(HERE / f"orientation_{orientation}.jpg", quality=92, subsampling=0, exif=exif)
    details = photo_details()
    photo.save(HERE / "details.jpg", quality=80, exif=details)
    photo.save(HERE / "details.png", optimize=True, exif=details)
    photo.save(HERE / "details.webp", quality=80, exif=details)
    photo.resize((12, 8)).save(HERE / "details.tif", exif=details)  # only the first directory
    photo.save(HERE / "lossless.webp", lossless=True)
    photo.save(HERE / "photo.gif")
    photo.save(HERE / "lzw.tif", compression="tiff_lzw")
    photo.save(HERE / "jpeg.tif", compression="jpeg", quality=95)
    photo.quantize(16).save(HERE / "palette.bmp")


if __name__ == "__main__":
    main()
