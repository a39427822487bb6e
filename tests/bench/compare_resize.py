"""Times decode_bench's resizes and decodes with Pillow and OpenCV in the same run, one thread each.

Run: python3 tests/bench/compare_resize.py build/release/bin/decode_bench   (needs pillow, numpy, opencv-python-headless)
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
from PIL import Image

Image.MAX_IMAGE_PIXELS = None
cv2.setNumThreads(1)


def median_ms(call):
    call()
    times = []
    while len(times) < 5 or (sum(times) < 1500 and len(times) < 200):
        start = time.thread_time()
        call()
        times.append(1000 * (time.thread_time() - start))
    return statistics.median(times)


def decode_with_pillow(path, target):
    image = Image.open(path)
    image.draft("RGB", (target * image.width // image.height, target))
    return image.convert("RGB").resize((target * image.width // image.height, target), Image.Resampling.BICUBIC)


def decode_with_opencv(path, target):
    data = np.fromfile(path, np.uint8)
    image = cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return cv2.resize(image, (target * image.shape[1] // image.shape[0], target), interpolation=cv2.INTER_AREA)


def main():
    with tempfile.TemporaryDirectory() as folder:
        result = json.loads(subprocess.run([sys.argv[1], "--write", folder], check=True, capture_output=True).stdout)
        large = Image.open(pathlib.Path(folder, "large.png")).convert("RGB")
        small = Image.open(pathlib.Path(folder, "small.jpg")).convert("RGB")
        sources = {"4000x3000": large, "1152x864": small, "500x375": large.resize((500, 375), Image.Resampling.BICUBIC)}
        for row in result["resize"]:
            source = sources[row["from"]]
            size = tuple(int(side) for side in row["to"].split("x"))
            pixels = np.asarray(source)
            row["pillow_bicubic_ms"] = median_ms(lambda: source.resize(size, Image.Resampling.BICUBIC))
            # OpenCV antialiases with INTER_AREA only; for enlarging, its cubic filter is the comparable one.
            method = cv2.INTER_AREA if size[0] < source.width else cv2.INTER_CUBIC
            row["opencv_ms"] = median_ms(lambda: cv2.resize(pixels, size, interpolation=method))
            row["pillow_over_tessera"] = row["pillow_bicubic_ms"] / row["ms"]
            row["opencv_over_tessera"] = row["opencv_ms"] / row["ms"]
        for picture, name in zip(result["decode"], ("large.jpg", "small.jpg")):
            for spec, target in zip(picture["specs"], (256, 512)):
                path = pathlib.Path(folder, name)
                spec["pillow_draft_ms"] = median_ms(lambda: decode_with_pillow(path, target))
                spec["opencv_full_ms"] = median_ms(lambda: decode_with_opencv(path, target))
        result["versions"] = {"pillow": Image.__version__, "opencv": cv2.__version__}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
