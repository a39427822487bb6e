"""Writes a hybrid as config.json and model.safetensors (docs/MODEL_FORMAT.md): constants folded, names of the release."""
import json
from pathlib import Path

import torch

from .radio1d import GLOBAL_SCALE
from .safetensors_io import write_safetensors
from .stem import LITE_MEAN, LITE_STD

PREFIX = "radio_model.model."
GENERATOR = PREFIX + "patch_generator."
GLOBAL_MAPS = {"global": "patch_generator.global_map", "token0": "token0_map"}   # under GENERATOR + "stem.": module


def folded_tensors(hybrid):
    """{released name: float32 tensor}; feature centring and scaling folded into projection, positions and global maps."""
    tensors = {PREFIX + name: value.detach().float().clone() for name, value in hybrid.radio.state_dict().items()}
    for layer in hybrid.stem.spec["layers"]:
        module = hybrid.stem.layers[layer["name"].replace(".", "_")]
        tensors[f"{GENERATOR}stem.{layer['name']}.weight"] = module.weight.detach().float()
        tensors[f"{GENERATOR}stem.{layer['name']}.bias"] = module.bias.detach().float()
    if hybrid.regions is not None:
        for name, value in hybrid.regions.state_dict().items():
            tensors[f"{GENERATOR}stem.regions.{name}"] = value.detach().float()
    embedder = tensors[GENERATOR + "embedder.weight"] * hybrid.patch_scale
    tensors[GENERATOR + "embedder.weight"] = embedder
    tensors[GENERATOR + "pos_embed"] -= embedder @ hybrid.patch_mean
    for name, module in GLOBAL_MAPS.items():
        if PREFIX + module + ".weight" in tensors:
            weight = tensors.pop(PREFIX + module + ".weight") * GLOBAL_SCALE
            tensors[f"{GENERATOR}stem.{name}.weight"] = weight
            tensors[f"{GENERATOR}stem.{name}.bias"] = tensors.pop(PREFIX + module + ".bias") - weight @ hybrid.global_mean
    return tensors


def config_of(hybrid, name, size, dtype):
    """config.json in the shape of the release, with the stem beside the other model arguments."""
    shape = hybrid.radio.shape
    options = {
        "cpe_max_size": 16 * shape.grid, "decoder_depth": shape.decoder_depth,
        "decoder_upscale_levels": [shape.split], "depth": shape.depth, "downscale_levels": [shape.merge],
        "embed_dim": shape.width, "img_size": 32 * shape.filler_grid, "num_cls_tokens": shape.class_tokens,
        "num_heads": shape.heads, "progressive_reduction": False, "register_multiple": shape.prefix,
        "stem": hybrid.stem.spec}
    teachers = [{"name": f"slot{i}", "token_slot": i, "type": "distilled", "use_summary": True}
                for i in range(shape.class_tokens)]
    args = {"cls_token_per_teacher": True, "cpe_max_size": 16 * shape.grid, "dtype": dtype,
            "model": "radio1d_hybrid", "model_kwargs": options, "model_norm": True,
            "register_multiple": shape.prefix, "teachers": teachers}
    return {"adaptor_configs": {}, "adaptor_names": None, "architectures": ["RADIOModel"], "args": args,
            "feature_normalizer_config": None, "inter_feature_normalizer_config": None, "max_resolution": 2048,
            "patch_size": 16, "preferred_resolution": [size, size], "torch_dtype": dtype, "version": name,
            "vitdet_window_size": None}


def export(hybrid, folder, name, size, half=True):
    """Writes the two files; returns the size of the weights in bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = folded_tensors(hybrid)
    if half:
        tensors = {k: v.half() for k, v in tensors.items()}
    tensors["radio_model.summary_idxs"] = torch.arange(hybrid.radio.shape.class_tokens)
    tensors["radio_model.input_conditioner.norm_mean"] = torch.full((3, 1, 1), LITE_MEAN)
    tensors["radio_model.input_conditioner.norm_std"] = torch.full((3, 1, 1), LITE_STD)
    write_safetensors(folder / "model.safetensors", tensors)
    config = config_of(hybrid, name, size, "float16" if half else "float32")
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return (folder / "model.safetensors").stat().st_size
