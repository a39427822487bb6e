"""Golden files: a tiny random hybrid with every layer kind, and the tokens that an exported model gives for pictures."""
import json
from pathlib import Path

import torch

from .data import open_picture, to_size
from .export import export
from .hybrid_file import read_hybrid
from .radio1d import GLOBAL_SCALE, Hybrid, Shape, normalised_global
from .safetensors_io import write_safetensors
from .stem import LITE_MEAN, LITE_STD

CASES = {"even": (2, 64, 64), "odd": (1, 48, 80), "wide": (1, 64, 96), "thin": (1, 96, 32)}
LAYERS_OF = "odd"   # the case whose every layer is stored


def tiny_spec():
    """Dense and depthwise 3x3 and 5x5, strides 1 and 2, both activations, `add`, `from`, maps at stride 16 and 32."""
    layers, width = [], {}

    def layer(name, kind, kernel, stride, cin, cout, activation="relu6", **links):
        layers.append({"name": name, "kind": kind, "kernel": kernel, "stride": stride, "in": cin, "out": cout,
                       "activation": activation, "padding": "same", **links})
        width[name] = cout

    layer("conv", "conv", 3, 2, 3, 8)
    layer("block0.depthwise", "depthwise", 3, 1, 8, 8)
    layer("block0.project", "pointwise", 1, 1, 8, 8, "none", add="conv")
    for i, (kernel, stride) in enumerate(((3, 2), (5, 2), (5, 1), (3, 2), (5, 2)), start=1):
        cin, cout = width[f"block{i - 1}.project"], 8 + 4 * (i // 2)
        layer(f"block{i}.expand", "pointwise", 1, 1, cin, 2 * cin)
        layer(f"block{i}.depthwise", "depthwise", kernel, stride, 2 * cin, 2 * cin)
        shortcut = stride == 1 and cin == cout
        layer(f"block{i}.project", "pointwise", 1, 1, 2 * cin, cout, "none",
              **({"add": f"block{i - 1}.project"} if shortcut else {}))
    layer("extra", "conv", 5, 1, 16, 20)
    layer("head", "pointwise", 1, 1, 20, 24)
    layer("side.conv", "conv", 3, 2, 3, 6, **{"from": "image"})
    layer("side.depthwise0", "depthwise", 3, 2, 6, 6)
    layer("side.depthwise1", "depthwise", 5, 2, 6, 6)
    layer("side.mix", "conv", 3, 2, 6, 10)
    layer("side.join", "pointwise", 1, 1, 16, 10, "none", add="side.mix", **{"from": "block4.project"})
    return {"name": "tiny", "layers": layers, "patch_maps": ["block4.project", "block5.project", "side.join"],
            "global_map": "head",
            "regions": {"hidden": 10, "boxes": [[0, 12, 0, 6], [0, 6, 0, 12], [3, 9, 3, 9], [0, 6, 8, 12]]}}


def random_hybrid(seed):
    """Random weights large enough that every term shows in the outputs."""
    torch.manual_seed(seed)
    shape = Shape(width=16, heads=2, depth=4, merge=2, prefix=4, class_tokens=2, grid=6, decoder_depth=2, split=1,
                  filler_grid=3)
    hybrid = Hybrid(tiny_spec(), shape).eval().requires_grad_(False)
    for name, parameter in hybrid.named_parameters():
        if name.startswith("stem.") and name.endswith("weight"):
            parameter.normal_(0, (2.5 / parameter[0].numel()) ** 0.5)
        elif "norm" in name:
            parameter.add_(0.2 * torch.randn_like(parameter))
        elif parameter.dim() >= 2 and name.endswith("weight"):
            parameter.normal_(0, 1.2 / parameter.shape[1] ** 0.5)
        else:
            parameter.normal_(0, 0.3)
    hybrid.patch_mean.normal_(0.3, 0.2)
    hybrid.patch_scale.uniform_(0.5, 2)
    hybrid.global_mean.uniform_(0, 0.2)
    return hybrid


def expected(hybrid, pixels):
    """{quantity: tensor} for one input; the names are those of MODEL_FORMAT.md."""
    gh, gw = pixels.shape[2] // 16, pixels.shape[3] // 16
    names = [layer["name"] for layer in hybrid.stem.spec["layers"]]
    patches, pooled, maps = hybrid.stem((pixels - LITE_MEAN) / LITE_STD, keep=names)
    out = {"input": pixels, "patches": patches, "global": normalised_global(pooled)}
    out.update({name: value.permute(0, 2, 3, 1) for name, value in maps.items()})
    raw, pooled = pooled, (normalised_global(pooled) - hybrid.global_mean) * GLOBAL_SCALE
    scaled = (patches - hybrid.patch_mean) * hybrid.patch_scale
    out["embed"] = hybrid.radio.patch_generator(scaled, pooled, gh, gw)
    out["regions"] = hybrid.regions.pool(patches.unflatten(1, (gh, gw)))
    out["prefix"], out["tokens"] = hybrid.encode_features(patches, raw, gh, gw)
    out["n4.decoder"] = hybrid.radio.decoder(out["tokens"][:, :4], gh, gw)
    out["nall.decoder"] = hybrid.radio.decoder(out["tokens"], gh, gw)
    return out


def write_golden(folder, seed=7):
    """config.json, model.safetensors and io.safetensors."""
    folder = Path(folder)
    export(random_hybrid(seed), folder, "tessera-stem-tiny", 64, half=False)
    hybrid = read_hybrid(folder)
    torch.manual_seed(seed + 1)
    tensors, names = {}, {layer["name"] for layer in hybrid.stem.spec["layers"]}
    with torch.inference_mode():
        for case, (batch, height, width) in CASES.items():
            pixels = torch.rand(batch, 3, height, width)
            values = expected(hybrid, pixels)
            if case != LAYERS_OF:
                values = {k: v for k, v in values.items() if k not in names}
            tensors.update({f"{case}.{k}": v for k, v in values.items()})
    write_safetensors(folder / "io.safetensors", tensors, {"cases": json.dumps(CASES)})


def write_tokens(model_dir, pictures, path, sizes=((224, 224), (128, 160))):
    """Expected output of an exported model in float32: NAME.WxH.input, .prefix, .tokens for every picture and size."""
    hybrid, tensors = read_hybrid(model_dir), {}
    for picture in map(Path, pictures):
        image = open_picture(picture.read_bytes())
        for width, height in sizes[:1] if tensors else sizes:
            pixels = torch.from_numpy(to_size(image, width, height).copy()).permute(2, 0, 1)[None].float() / 255
            with torch.inference_mode():
                prefix, tokens = hybrid.encode((pixels - LITE_MEAN) / LITE_STD)
            key = f"{picture.stem}.{width}x{height}"
            tensors.update({key + ".input": pixels, key + ".prefix": prefix, key + ".tokens": tokens})
    write_safetensors(path, tensors)
