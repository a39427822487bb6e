"""Tests of the detector and of what is learned from it; the detector's weights are random and narrow."""
import struct
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from tessera_training import __main__ as command_line
from tessera_training import detector, objects
from tessera_training.detector import Detector, anchors, branch, covered, scope_layers
from tessera_training.export import export
from tessera_training.frozen_graph import read_constants
from tessera_training.golden import random_hybrid
from tessera_training.hybrid_file import conditioned, read_hybrid, without_objects
from tessera_training.radio1d import RegionHead, region_cells
from tessera_training.stem import LITE_MEAN, LITE_STD
from tessera_training.targets import REGIONS

CLASSES = 5


def message(number, data):
    """One length-delimited field."""
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def constant(name, array):
    """A Const node as TensorFlow writes it."""
    shape = b"".join(message(2, bytes([8, side])) for side in array.shape)
    tensor = bytes([8, 1]) + message(2, shape) + message(4, array.astype("<f4").tobytes())
    value = message(1, b"value") + message(2, message(8, tensor))
    return message(1, message(1, name) + message(2, b"Const") + message(5, value))


def random_constants(seed=0):
    """The constants of the detector with few channels."""
    rng, out = np.random.default_rng(seed), {}
    root = "FeatureExtractor/MobilenetV2/"

    def layer(scope, kernel, cin, cout, depthwise=False, norm=True):
        shape = (kernel, kernel, cin, 1) if depthwise else (kernel, kernel, cin, cout)
        fan = kernel * kernel * (1 if depthwise else cin)
        out[scope + ("/depthwise_weights" if depthwise else "/weights")] = rng.normal(0, (2 / fan) ** 0.5, shape).astype("f")
        if norm:
            for part in ("gamma", "moving_variance"):
                out[f"{scope}/BatchNorm/{part}"] = rng.uniform(0.7, 1.4, cout).astype("f")
            for part in ("beta", "moving_mean"):
                out[f"{scope}/BatchNorm/{part}"] = rng.normal(0, 0.2, cout).astype("f")
        else:
            out[scope + "/biases"] = rng.normal(0, 0.2, cout).astype("f")

    layer(root + "Conv", 3, 3, 4)
    width = 4
    for i in range(detector.BLOCKS):
        scope, following = root + ("expanded_conv" if i == 0 else f"expanded_conv_{i}"), 4 + 2 * (i // 6)
        inner = width if i == 0 else 2 * width
        if i > 0:
            layer(scope + "/expand", 1, width, inner)
        layer(scope + "/depthwise", 3, inner, inner, depthwise=True)
        layer(scope + "/project", 1, inner, following)
        width = following
    layer(root + "Conv_1", 1, width, 12)
    before, inner = 12, 2 * (4 + 2 * (12 // 6))   # of block 13
    sources = [inner, 12]
    for i, out_width in enumerate((512, 256, 256, 128), start=2):
        layer(f"{root}layer_19_1_Conv2d_{i}_1x1_{out_width // 2}", 1, before, 3)
        scope = f"{root}layer_19_2_Conv2d_{i}_3x3_s2_{out_width}"
        layer(scope + "_depthwise", 3, 3, 3, depthwise=True)
        layer(scope, 1, 3, 6)
        before = 6
        sources.append(6)
    for level, cin in enumerate(sources):
        count = 3 if level == 0 else 6
        layer(f"BoxPredictor_{level}/ClassPredictor", 3, cin, count * (1 + CLASSES), norm=False)
        layer(f"BoxPredictor_{level}/BoxEncodingPredictor", 3, cin, count * 4, norm=False)
    return out


class FrozenGraphTest(unittest.TestCase):
    def read(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.pb"
            path.write_bytes(data)
            return read_constants(path)

    def test_constants_come_back(self):
        a, b = np.arange(6, dtype="f").reshape(2, 3), np.array([0.5], "f")
        found = self.read(constant(b"a", a) + constant(b"scope/b", b))
        self.assertEqual(set(found), {"a", "scope/b"})
        np.testing.assert_array_equal(found["a"], a)
        np.testing.assert_array_equal(found["scope/b"], b)

    def test_one_value_fills_its_shape(self):
        tensor = bytes([8, 1]) + message(2, message(2, bytes([8, 3]))) + message(5, struct.pack("<f", 2.5))
        value = message(1, b"value") + message(2, message(8, tensor))
        found = self.read(message(1, message(1, b"x") + message(2, b"Const") + message(5, value)))
        self.assertEqual(found["x"].tolist(), [2.5] * 3)

    def test_other_files_are_refused(self):
        whole = constant(b"a", np.ones(4, "f"))
        for data in (b"", b"PNG\r\n", whole[:-3], whole + b"\x0b"):
            with self.assertRaisesRegex(ValueError, "not a frozen TensorFlow graph"):
                self.read(data)


class DetectorTest(unittest.TestCase):
    def setUp(self):
        patch = mock.patch.object(detector, "read_constants", lambda _: random_constants())
        patch.start()
        self.addCleanup(patch.stop)

    def test_anchors_of_the_reference(self):
        self.assertEqual([len(anchors(level, side)) for level, side in enumerate((19, 10, 5, 3, 2, 1))],
                         [1083, 600, 150, 54, 24, 6])
        first = anchors(0, 19)
        torch.testing.assert_close(first[0], torch.tensor([0.5 / 19, 0.5 / 19, 0.1, 0.1]))
        torch.testing.assert_close(first[1, 2:], torch.tensor([0.2 / 2 ** 0.5, 0.2 * 2 ** 0.5]))
        torch.testing.assert_close(first[4, :2], torch.tensor([0.5 / 19, 1.5 / 19]))
        torch.testing.assert_close(anchors(5, 1)[5, 2:], torch.tensor([0.95 ** 0.5] * 2))

    def test_covered_cells(self):
        boxes = torch.tensor([[[0.0, 0.0, 1.0, 0.5], [0.25, 0.5, 0.5, 0.625]]])
        share = covered(boxes, 4)[0]
        self.assertEqual(share[0].tolist(), [[1, 1, 0, 0]] * 4)
        self.assertEqual(share[1].nonzero().tolist(), [[1, 2]])
        self.assertEqual(share[1, 1, 2].item(), 0.5)

    def test_map_holds_the_best_box_of_each_class(self):
        network = Detector("graph.pb")
        scores = torch.zeros(1, 3, CLASSES)
        scores[0, 0, 2], scores[0, 1, 2], scores[0, 2, 4] = 0.8, 0.6, 0.01
        boxes = torch.tensor([[[0.0, 0, 1, 0.5], [0, 0, 1, 1], [0, 0, 1, 1]]])
        with mock.patch.object(network, "boxes", lambda _: (scores, boxes)):
            cells = network.maps(np.zeros((1, 4, 4, 3), np.uint8), cells=4)
        np.testing.assert_allclose(cells[0, :, :, 2], [[0.8, 0.8, 0.6, 0.6]] * 4, atol=1e-3)
        self.assertEqual(np.delete(cells, 2, 3).max(), 0)

    def test_whole_network_runs(self):
        network = Detector("graph.pb")
        pictures = np.random.default_rng(1).integers(0, 256, (2, 300, 300, 3), dtype=np.uint8)
        scores, boxes = network.boxes(pictures)
        self.assertEqual(scores.shape, (2, 1917, CLASSES))
        self.assertEqual(boxes.shape, (2, 1917, 4))
        self.assertTrue(((boxes[..., :2] <= boxes[..., 2:]) & (boxes >= 0).all(-1, True)).all())

    def test_branch_is_the_backbone_for_the_stems_input(self):
        layers, tensors = scope_layers(random_constants())
        names = ["detector.block12.project", "detector.block16.project"]
        whole = detector.load_stem(layers, tensors, names[:1], names[0])
        part_layers, part_tensors, maps = branch("graph.pb")
        self.assertEqual(maps, names)
        self.assertEqual(part_layers[-1]["name"], names[1])
        part = detector.load_stem(part_layers, part_tensors, maps, maps[-1])
        pixels = torch.rand(1, 3, 192, 192, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            wanted = whole((pixels - 0.5) / 0.5, keep=names)[2]
            found = part((pixels - LITE_MEAN) / LITE_STD, keep=names)[2]
        # The border pads with another grey; the middle of the fine map does not see it much.
        middle = slice(4, 8)
        difference = (found[names[0]] - wanted[names[0]])[:, :, middle, middle].abs().max()
        self.assertLess(difference.item(), 0.02 * wanted[names[0]].abs().max().item())
        self.assertTrue([la for la in part_layers if "add" in la])


class ObjectsTest(unittest.TestCase):
    def setUp(self):
        patch = mock.patch.object(detector, "read_constants", lambda _: random_constants())
        patch.start()
        self.addCleanup(patch.stop)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        hybrid = random_hybrid(5)
        hybrid.regions = None
        del hybrid.stem.spec["regions"]
        export(hybrid, self.work / "old", "t", 64, half=False)
        self.hybrid = read_hybrid(self.work / "old")
        rng = np.random.default_rng(0)
        self.pictures = rng.integers(0, 256, (48, 96, 96, 3), dtype=np.uint8)
        self.pictures[::2, :, :48] //= 4     # half of them are dark at the left, which is what there is to learn
        cells = np.zeros((48, 12, 12, CLASSES), np.float16)
        cells[::2, :, :6, 1] = 0.9
        cells[1::2, :, :6, 3] = 0.9
        maps = self.hybrid.stem.spec["patch_maps"]
        with torch.inference_mode():
            _, pooled, kept = self.hybrid.stem(conditioned(self.pictures), keep=maps)
            branch_stem = objects.branch_of("graph.pb")
            seen = branch_stem(conditioned(self.pictures), keep=branch_stem.spec["patch_maps"])[2]
            regions = objects.region_features(objects.region_head(self.hybrid.stem, branch_stem, 4), self.hybrid.stem, branch_stem,
                                              {k: v.permute(0, 2, 3, 1).numpy() for k, v in (kept | seen).items()})
        for number in range(4):
            chunk = self.work / "cache" / "0" / f"{number:05}"
            chunk.mkdir(parents=True)
            np.save(chunk / "names.npy", np.arange(48) + 48 * number)
            np.save(chunk / "regions.npy", regions.half().numpy())
            np.save(chunk / "stem.pooled.npy", pooled.numpy())
            np.save(chunk / "detector.npy", cells)
            for name in maps:
                np.save(chunk / f"stem.{name}.npy", kept[name].permute(0, 2, 3, 1).numpy())

    def test_regions_take_the_greatest_cell(self):
        cells = torch.zeros(1, 12, 12, 2)
        cells[0, 1, 10, 1] = 0.5
        found = objects.in_regions(cells)[0]
        holds = [bool(t * 12 <= 1 < b * 12 and left * 12 <= 10 < right * 12) for t, b, left, right in REGIONS]
        self.assertEqual((found[:, 1] == 0.5).tolist(), holds)
        self.assertEqual(found[:, 0].max().item(), 0)
        self.assertEqual([[edge / 12 for edge in box] for box in objects.BOXES], [list(map(float, r)) for r in REGIONS])

    def test_pooled_features_are_mean_greatest_and_number(self):
        head = RegionHead({"boxes": [[0, 12, 0, 6], [0, 12, 4, 12]], "hidden": 3}, 2, 4)
        patches = torch.arange(10.0).view(1, 1, 5, 2)
        self.assertEqual(region_cells(head.boxes, 1, 5), [(0, 1, 0, 3), (0, 1, 1, 5)])
        self.assertEqual(head.pool(patches)[0].tolist(), [[2, 3, 4, 5, 1, 0], [5, 6, 8, 9, 0, 1]])

    def test_what_is_held_out_is_not_learned_from(self):
        held_out, chunks = objects.cached_chunks(self.work)
        self.assertEqual([len(held_out), len(chunks)], [2, 2])
        self.assertEqual(len(objects.Views(chunks).features), 96)
        self.assertEqual(len(objects.Views(chunks, {96, 100, 1}).features), 94)
        with self.assertRaisesRegex(FileNotFoundError, "object-cache"):
            objects.cached_chunks(self.work / "elsewhere")

    def test_directions_are_those_that_tokens_do_not_use(self):
        tokens = torch.randn(500, 8) * torch.tensor([1, 1, 1, 1, 1, 0.01, 0.02, 0.01])
        found = objects.least_used(objects.unit(tokens), 3)
        torch.testing.assert_close(found @ found.T, torch.eye(3), atol=1e-5, rtol=0)
        self.assertLess(found[:, :5].abs().max().item(), 0.05)

    def test_where_nothing_is_nothing_is_wanted(self):
        mean = torch.tensor([0.05, 0.0])
        found = objects.wanted_of(torch.tensor([[0.0, 0.0], [4.0, 0.0]]), mean)
        self.assertLess(found[0].norm().item(), 0.15)
        self.assertGreater(found[1].norm().item(), 0.99)

    def test_learns_objects_and_nothing_else_changes(self):
        with mock.patch.multiple(objects, BATCH=16, HIDDEN=32, has_bf16=lambda _: False):
            hybrid, loss, errors = objects.learn(self.work, self.work / "old", "graph.pb", 40, 20)
        self.assertLess(loss, 0.4)
        self.assertTrue(np.isfinite(errors).all())
        export(hybrid, self.work / "new", "t", 96, half=False)
        again = read_hybrid(self.work / "new")
        plain = without_objects(again)
        self.assertEqual(plain.stem.spec, self.hybrid.stem.spec)
        with torch.inference_mode():
            was = self.hybrid.encode(conditioned(self.pictures))
            now = again.encode(conditioned(self.pictures))
            forgotten = plain.encode(conditioned(self.pictures))
        for before, after in zip(was, forgotten):
            torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(now[0], was[0], rtol=1e-4, atol=1e-4)               # the prefix stays
        torch.testing.assert_close(now[1][:, 0], was[1][:, 0], rtol=1e-4, atol=1e-4)   # and token 0
        added = (now[1] - was[1])[:, 1:]
        same = F.cosine_similarity(added[0], added[2], dim=-1)     # dark at the left, both
        other = F.cosine_similarity(added[0], added[1], dim=-1)
        left = torch.tensor([box[2] < 6 for box in objects.BOXES][:added.shape[1]])   # where there are objects
        self.assertGreater(same[left].min().item(), 0.8)
        self.assertLess(other[left].max().item(), 0)
        ratio = (added.norm(dim=-1).mean() / was[1][:, 1:].norm(dim=-1).mean()).item() ** 2
        self.assertAlmostEqual(ratio / (1 + ratio), objects.SHARE, delta=0.05)
        for key in ("layers.side_conv.weight", "layers.head.weight"):
            self.assertTrue(torch.equal(self.hybrid.stem.state_dict()[key], again.stem.state_dict()[key]))

    def test_the_extractor_gives_what_the_exported_stem_gives(self):
        with mock.patch.object(objects, "lite_stem", lambda _: (self.hybrid.stem, None)), \
                mock.patch.object(objects.cache, "lite_stem", lambda _: (self.hybrid.stem, None)):
            extractor = objects.ObjectExtractor("tiny", 96, "graph.pb")
        images = [Image.fromarray(p) for p in self.pictures[:3]]
        found = extractor.run(images, "square")
        self.assertEqual(found["detector"].shape, (3, 12, 12, CLASSES))
        branch_stem = objects.branch_of("graph.pb")
        head = objects.region_head(self.hybrid.stem, branch_stem, 4)
        weights = head.fc1.weight, head.fc1.bias, torch.zeros(32, objects.HIDDEN), torch.zeros(32)
        hybrid = objects.joined(self.hybrid, branch_stem, [w.detach() for w in weights])
        with torch.inference_mode():
            patches = hybrid.stem(conditioned(self.pictures[:3]))[0]
            wanted = hybrid.regions.pool(patches.unflatten(1, (6, 6)))
        torch.testing.assert_close(torch.from_numpy(found["regions"]).float(), wanted, rtol=2e-2, atol=2e-2)


class CommandTest(unittest.TestCase):
    def test_run_teaches_objects_what_it_has_exported(self):
        calls = []
        steps = ("run_cache", "run_train", "run_export", "run_object_cache", "run_objects", "run_evaluate")
        patches = {name: (lambda name: lambda args: calls.append((name, vars(args).copy())))(name) for name in steps}
        arguments = ["run", "--data", "D", "--work", "W", "--out", "O"]
        for extra, expected in (([], [0, 1, 2, 5]), (["--graph", "G"], [0, 1, 2, 3, 4, 5])):
            calls.clear()
            with mock.patch.multiple(command_line, **patches):
                args = command_line.parser().parse_args(arguments + extra)
                args.function(args)
            self.assertEqual([name for name, _ in calls], [steps[i] for i in expected])
            self.assertEqual((calls[-1][1]["model"], calls[-1][1]["work"]), ("O", "W"))
        taught = calls[4][1]
        self.assertEqual((taught["init"], taught["out"], taught["graph"]), ("O", "O", "G"))
        self.assertEqual(Path(taught["work"]), Path("W") / "objects")
        self.assertEqual((taught["passes"], taught["settle_steps"], taught["share"]), (16, 400, objects.SHARE))

    def test_blocks_and_objects_are_cached_at_their_own_sizes(self):
        for command, more, size in (("cache", [], command_line.STEM_SIZE),
                                    ("object-cache", ["--graph", "G"], command_line.PREFERRED_SIZE)):
            context = mock.Mock()
            context.Process.return_value.exitcode = 0
            with tempfile.TemporaryDirectory() as work, \
                    mock.patch.object(command_line.multiprocessing, "get_context", return_value=context):
                args = command_line.parser().parse_args([command, "--data", "D", "--work", work, *more])
                args.function(args)
            options = context.Process.call_args.kwargs["args"][1]
            self.assertEqual(options["stem_size"], size)


if __name__ == "__main__":
    unittest.main()
