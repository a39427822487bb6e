"""Makes the program's icon, as SVG and as PNG of the usual sizes, from one list of tiles: coarse to fine.

Run: python3 make_icons.py   (needs pillow; 13.0.0 made the files here). The files are kept, so building needs no Python.
"""
import pathlib

from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).parent
NAME = "org.tessera.Browser"
SIDE = 128
BACKGROUND = "#20242c"
# x, y, side, colour: each step a quarter of the one before, as the tokens of a picture describe it ever finer.
TILES = [
    (14, 14, 62, "#2f7fe0"),
    (82, 14, 32, "#f2b134"), (82, 50, 26, "#e4572e"), (14, 82, 32, "#3bb273"), (50, 82, 26, "#7a5cc2"),
    (82, 82, 14, "#f2b134"), (100, 82, 14, "#9fc3f0"), (82, 100, 14, "#3bb273"), (100, 100, 14, "#e4572e"),
]
ROUND = 0.14


def svg():
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}" viewBox="0 0 {SIDE} {SIDE}">',
             "  <title>Tessera</title>", f'  <rect x="4" y="4" width="120" height="120" rx="22" fill="{BACKGROUND}"/>']
    for x, y, side, colour in TILES:
        lines.append(f'  <rect x="{x}" y="{y}" width="{side}" height="{side}" rx="{side * ROUND:.1f}" fill="{colour}"/>')
    return "\n".join(lines + ["</svg>", ""])


def png(size):
    scale = 16 * size / SIDE
    image = Image.new("RGBA", (16 * size, 16 * size))
    draw = ImageDraw.Draw(image)
    box = lambda x, y, side: [x * scale, y * scale, (x + side) * scale - 1, (y + side) * scale - 1]
    draw.rounded_rectangle(box(4, 4, 120), 22 * scale, BACKGROUND)
    for x, y, side, colour in TILES:
        draw.rounded_rectangle(box(x, y, side), side * ROUND * scale, colour)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def main():
    folder = HERE / "icons" / "scalable" / "apps"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.svg").write_text(svg())
    for size in (16, 24, 32, 48, 64, 128, 256, 512):
        folder = HERE / "icons" / f"{size}x{size}" / "apps"
        folder.mkdir(parents=True, exist_ok=True)
        png(size).save(folder / f"{NAME}.png", optimize=True)


if __name__ == "__main__":
    main()
