"""Reads an exported hybrid back into PyTorch: for evaluation of exactly what ships, and to resume training from it."""
import copy
import json
from pathlib import Path

import torch

from .export import GENERATOR, GLOBAL_MAPS, PREFIX
from .frozen import condition
from .radio1d import GLOBAL_SCALE, Hybrid, Shape
from .safetensors_io import read_safetensors
from .stem import BRANCH, LITE_MEAN, LITE_STD


def read_hybrid(folder):
    """An exported folder -> Hybrid in eval mode, float32, whose centring buffers are neutral (all folded in)."""
    folder = Path(folder)
    options = json.loads((folder / "config.json").read_text(encoding="utf-8"))["args"]["model_kwargs"]
    tensors = read_safetensors(folder / "model.safetensors")
    shape = Shape(width=options["embed_dim"], heads=options["num_heads"], depth=options["depth"],
                  merge=options["downscale_levels"][0], prefix=options["register_multiple"],
                  class_tokens=options["num_cls_tokens"], grid=options["cpe_max_size"] // 16,
                  decoder_depth=options["decoder_depth"], split=options["decoder_upscale_levels"][0],
                  filler_grid=options["img_size"] // 32, token0_skip=GENERATOR + "stem.token0.weight" in tensors)
    hybrid = Hybrid(options["stem"], shape)
    state = {}
    for name, tensor in tensors.items():
        if name.startswith(GENERATOR + "stem."):
            layer, kind = name[len(GENERATOR + "stem."):].rsplit(".", 1)
            if layer.startswith("regions."):
                state[f"{layer}.{kind}"] = tensor.float()
                continue
            if layer in GLOBAL_MAPS:
                scale = GLOBAL_SCALE if kind == "weight" else 1
                state[f"radio.{GLOBAL_MAPS[layer]}.{kind}"] = tensor.float() / scale
                continue
            state[f"stem.layers.{layer.replace('.', '_')}.{kind}"] = tensor.float()
        elif name.startswith(PREFIX):
            state["radio." + name[len(PREFIX):]] = tensor.float()
    missing, unexpected = hybrid.load_state_dict(state, strict=False)
    neutral = {"patch_mean", "patch_scale", "global_mean"}
    if unexpected or set(missing) != neutral:
        raise ValueError(f"{folder}: tensors missing {sorted(set(missing) - neutral)}, unknown {unexpected}")
    return hybrid.eval().requires_grad_(False)


def without_objects(hybrid):
    """The model without the second branch of its stem and without region head: what objects.py made it of, but for the decoder."""
    spec = copy.deepcopy(hybrid.stem.spec)
    spec["layers"] = [layer for layer in spec["layers"] if not layer["name"].startswith(BRANCH)]
    spec["patch_maps"] = [name for name in spec["patch_maps"] if not name.startswith(BRANCH)]
    spec.pop("regions", None)
    plain = Hybrid(spec, hybrid.radio.shape)
    state, width = hybrid.state_dict(), plain.stem.patch_width
    state["radio.patch_generator.embedder.weight"] = state["radio.patch_generator.embedder.weight"][:, :width]
    for name in ("patch_mean", "patch_scale"):
        state[name] = state[name][:width]
    plain.load_state_dict({name: state[name] for name in plain.state_dict()})
    return plain.eval().requires_grad_(False)


def conditioned(pictures, dtype=torch.float32):
    """uint8 [B, H, W, 3] -> the stem's input."""
    return condition(pictures, LITE_MEAN, LITE_STD, dtype)
