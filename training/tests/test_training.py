"""Tests of the recipe that need no pictures: python -m unittest discover -s tests (in training/)."""
import tarfile
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.nn.functional as F

from tessera_training.cache import crop_box, plan, shape_of, sized
from tessera_training.golden import random_hybrid, tiny_spec, write_golden
from tessera_training.hybrid_file import read_hybrid
from tessera_training.export import export
from tessera_training.losses import relational_loss, sample_token_count
from tessera_training import ablate, skip
from tessera_training import train as train_module
from tessera_training.evaluate import RoundedProducts
from tessera_training.metrics import aligned_tokens, comp_at, composition_table, generalised_iou, precision
from tessera_training.settle import settle_decoder
from tessera_training.safetensors_io import read_safetensors, write_safetensors
from tessera_training.stem import LITE_MEAN, LITE_STD, Stem, same_padding
from tessera_training.radio1d import Shape
from tessera_training.targets import REGIONS, Targets, procrustes, region_weights
from tessera_training.train import Chunk, Recipe, Student, align_targets, losses_of, optimizer_of, sample_window

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "data" / "stem"


class StemTest(unittest.TestCase):
    def test_same_padding_puts_the_odd_cell_after(self):
        self.assertEqual(same_padding(64, 3, 2), (0, 1))
        self.assertEqual(same_padding(64, 5, 2), (1, 2))
        self.assertEqual(same_padding(7, 3, 2), (1, 1))
        self.assertEqual(same_padding(7, 5, 1), (2, 2))

    def test_coarse_map_is_repeated(self):
        coarse = torch.arange(6.0).view(1, 1, 2, 3)
        grid = Stem.to_grid(coarse, 3, 5).view(3, 5)
        self.assertEqual(grid.tolist(), [[0, 0, 1, 1, 2], [0, 0, 1, 1, 2], [3, 3, 4, 4, 5]])


class ExportTest(unittest.TestCase):
    def test_folded_file_gives_the_unfolded_tokens(self):
        hybrid = random_hybrid(3)
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            export(hybrid, folder, "t", 64, half=False)
            x = torch.randn(2, 3, 64, 96)
            for ours, theirs in zip(hybrid.encode(x), read_hybrid(folder).encode(x)):
                self.assertLess((ours - theirs).abs().max().item(), 1e-4)

    def test_stored_golden_is_reproduced(self):
        hybrid, stored = read_hybrid(GOLDEN), read_safetensors(GOLDEN / "io.safetensors")
        with torch.inference_mode():
            for case in ("even", "odd", "wide", "thin"):
                prefix, tokens = hybrid.encode((stored[case + ".input"] - LITE_MEAN) / LITE_STD)
                self.assertLess((tokens - stored[case + ".tokens"]).abs().max().item(), 5e-5)
                self.assertLess((prefix - stored[case + ".prefix"]).abs().max().item(), 5e-5)

    def test_golden_is_deterministic(self):
        with tempfile.TemporaryDirectory() as folder:
            write_golden(folder)
            self.assertEqual((Path(folder) / "config.json").read_text(), (GOLDEN / "config.json").read_text())

    def test_safetensors_round_trip(self):
        tensors = {"b": torch.randn(2, 3), "a": torch.arange(4), "c": torch.randn(5).half()}
        with tempfile.TemporaryDirectory() as folder:
            write_safetensors(Path(folder) / "x", tensors)
            back = read_safetensors(Path(folder) / "x")
        self.assertEqual(sorted(back), ["a", "b", "c"])
        for name, tensor in tensors.items():
            self.assertTrue(torch.equal(tensor, back[name]))


class SkipTest(unittest.TestCase):
    def test_wanted_tokens_are_even_and_of_the_wanted_length(self):
        torch.manual_seed(0)
        tokens, head = torch.randn(400, 8) * torch.tensor([8.0, 4, 2, 1, 1, 1, 1, 1]), torch.randn(400, 20)
        wanted = skip.wanted_tokens(tokens, head - head.mean(0))
        both = torch.cat([torch.nn.functional.normalize(x, dim=1) for x in (tokens, head - head.mean(0))], 1)
        present = torch.linalg.svdvals(both - both.mean(0))[:8]
        self.assertLess((torch.linalg.svdvals(wanted)[0] / torch.linalg.svdvals(wanted)[7]).item(),
                        1.05 * (present[0] / present[7]).sqrt().item())
        self.assertAlmostEqual((wanted.norm(dim=1).mean() / tokens.norm(dim=1).mean()).item(), skip.LENGTH, places=4)

    def test_the_skip_brings_what_token_0_lacks(self):
        torch.manual_seed(1)
        hidden = torch.randn(600, 8)
        tokens = hidden * torch.tensor([1.0, 1, 1, 1, 0.3, 0.3, 0.3, 0.3]) @ torch.linalg.qr(torch.randn(8, 8))[0]
        head = torch.cat([hidden, 0.1 * torch.randn(600, 8)], 1) @ torch.linalg.qr(torch.randn(16, 16))[0]
        head = head - head.mean(0)
        weight, bias, left = skip.fit(tokens[:500], head[:500])
        self.assertLess(left, 0.35)
        wanted = torch.nn.functional.normalize(hidden[500:], dim=1)

        def agreement(x):
            x = torch.nn.functional.normalize(x, dim=1)
            return torch.corrcoef(torch.stack([(x @ x.T).flatten(), (wanted @ wanted.T).flatten()]))[0, 1].item()
        self.assertLess(agreement(tokens[500:]), 0.8)
        self.assertGreater(agreement(tokens[500:] + head[500:] @ weight.T + bias), 0.95)

    def test_added_skip_survives_the_file_and_leaves_other_tokens(self):
        hybrid = random_hybrid(5)
        hybrid.radio.token0_map, hybrid.radio.shape.token0_skip = None, False
        torch.manual_seed(2)
        patches, pooled = torch.rand(300, 16, hybrid.stem.patch_width), torch.rand(300, hybrid.stem.global_width)
        with torch.no_grad():
            before = hybrid.encode_features(patches, pooled, 4, 4)
            skip.add_skip(hybrid, [(patches[:200], pooled[:200], 4, 4), (patches[200:], pooled[200:], 4, 4)])
            after = hybrid.encode_features(patches, pooled, 4, 4)
            with tempfile.TemporaryDirectory() as folder:
                export(hybrid, folder, "t", 64, half=False)
                again = read_hybrid(folder).encode_features(patches, pooled, 4, 4)
        self.assertTrue(torch.equal(before[0], after[0]))
        self.assertTrue(torch.equal(before[1][:, 1:], after[1][:, 1:]))
        self.assertGreater((after[1][:, 0] - before[1][:, 0]).abs().max().item(), 0.1)
        self.assertLess((again[1] - after[1]).abs().max().item(), 1e-3)

    def test_the_decoder_settles_and_nothing_else_changes(self):
        hybrid = random_hybrid(5)
        torch.manual_seed(3)
        patches, pooled = torch.rand(48, 16, hybrid.stem.patch_width), torch.rand(48, hybrid.stem.global_width)
        names = {name for name, _ in hybrid.radio.decoder.named_parameters()}
        before = {name: value.clone() for name, value in hybrid.radio.state_dict().items()}
        around = skip.tokens_around(hybrid, [(patches, pooled, 4, 4)])
        first, last = settle_decoder(hybrid.radio.decoder, *around, 60)
        self.assertLess(last, 0.7 * first)
        after = hybrid.radio.state_dict()
        changed = {name for name in before if not torch.equal(before[name], after[name])}
        self.assertTrue(changed)
        self.assertLessEqual(changed, {"decoder." + name for name in names})


class ViewTest(unittest.TestCase):
    def test_views_keep_shape_and_stay_inside(self):
        import random
        rng = random.Random(0)
        for size in ((128, 128), (200, 128), (128, 170)):
            shape = shape_of(size)
            self.assertEqual(sized("landscape", 192), (256, 192))
            for view in (0, 1, 2):
                left, top, right, bottom = crop_box(size, shape, view, rng)
                self.assertGreaterEqual(min(left, top), 0)
                self.assertLessEqual(right, size[0] + 1e-6)
                self.assertLessEqual(bottom, size[1] + 1e-6)

    def test_plan_covers_every_picture_once(self):
        chunks = plan([(128, 128)] * 300 + [(200, 128)] * 300, 1, 5)
        self.assertEqual(sorted(i for _, ids in chunks for i in ids), list(range(600)))

    def test_windows_are_even_and_inside(self):
        rng = np.random.default_rng(0)
        for _ in range(200):
            top, left, height, width = sample_window(12, 16, rng)
            self.assertEqual((height % 2, width % 2), (0, 0))
            self.assertTrue(0 <= top <= 12 - height and 0 <= left <= 16 - width)

    def test_region_weights(self):
        weights = region_weights(7, 5)
        self.assertEqual(tuple(weights.shape), (len(REGIONS), 35))
        self.assertTrue(torch.allclose(weights.sum(1), torch.ones(len(REGIONS))))
        left = weights[0].view(7, 5)
        self.assertEqual(left[:, 3:].abs().sum().item(), 0)

    def test_procrustes_finds_the_turn(self):
        torch.manual_seed(0)
        turn, rows = torch.linalg.qr(torch.randn(6, 6))[0], torch.randn(40, 6)
        self.assertLess((procrustes(rows, rows @ turn) - turn).abs().max().item(), 1e-5)

    def test_token_counts_favour_few(self):
        rng = np.random.default_rng(0)
        counts = np.array([sample_token_count(36, rng) for _ in range(4000)])
        self.assertEqual((counts.min(), counts.max() <= 36), (1, True))
        self.assertLess(abs(counts.mean() / 36 - 1 / 3), 0.03)


class TrainingTest(unittest.TestCase):
    """Losses and the turning of targets on a tiny student and made-up features."""

    def setUp(self):
        torch.manual_seed(0)
        rng = np.random.default_rng(0)
        self.student = Student(tiny_spec(), Shape(width=32, heads=4, depth=3, merge=2, grid=4, filler_grid=2))
        self.batch = {"stem.block4.project": torch.randn(128, 4, 4, 16), "stem.block5.project": torch.randn(128, 2, 2, 16),
                      "stem.side.join": torch.randn(128, 4, 4, 10),
                      "stem.pooled": torch.rand(128, 24), "teacher.lite2": torch.rand(128, 96),
                      "dense": torch.randn(128, 3, 3, 48)}
        self.chunk = Chunk.__new__(Chunk)
        self.chunk.arrays = {"names": np.arange(128), **{k: v.numpy() for k, v in self.batch.items()}}
        self.chunk.size = 128
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name) / "targets.npz"
        Targets.fit(self.path, {"lite2": self.batch["teacher.lite2"]}, self.batch["dense"], 64)
        self.targets, self.rng = Targets(self.path), rng

    def losses(self, targets, window=None):
        return losses_of(self.student, targets, self.batch, torch.device("cpu"), window, 2)

    def test_a_step_lowers_the_losses(self):
        optimizer = optimizer_of(self.student)
        optimizer.param_groups[0]["lr"] = optimizer.param_groups[1]["lr"] = 3e-3
        before = sum(self.losses(self.targets).values()).item()
        for _ in range(10):
            optimizer.zero_grad()
            sum(self.losses(self.targets).values()).backward()
            optimizer.step()
        self.assertLess(sum(self.losses(self.targets).values()).item(), before - 0.1)

    def test_window_of_the_grid(self):
        for value in self.losses(self.targets, (1, 0, 2, 4)).values():
            self.assertTrue(torch.isfinite(value))

    def test_turned_targets_fit_the_student_better_and_keep_similarities(self):
        with torch.no_grad():
            before = self.losses(self.targets)
            whole = self.targets.whole({"lite2": self.batch["teacher.lite2"]})
            align_targets(self.student, self.targets, self.path, [self.chunk])
            turned = Targets(self.path)
            after = self.losses(turned)
        again = turned.whole({"lite2": self.batch["teacher.lite2"]})
        self.assertLess((whole @ whole.T - again @ again.T).abs().max().item(), 1e-4)
        self.assertLess(after["token0"].item(), before["token0"].item() - 0.05)
        self.assertLess(after["regions"].item(), before["regions"].item())


    def test_power_evens_directions_out_and_others_are_zero(self):
        parts = {"lite2": torch.rand(256, 24) ** 4 * torch.logspace(0, -2, 24), "mnv2": torch.rand(256, 16)}
        strengths = []
        for power in (1.0, 0.5):
            Targets.fit(self.path, parts, torch.randn(256, 3, 3, 8), 32, {"lite2": 1.0, "mnv2": 0.5}, 12, power)
            targets = Targets(self.path)
            self.assertEqual(targets.weights, {"lite2": 1.0, "mnv2": 0.5})
            whole = targets.whole(parts)
            self.assertEqual(whole[:, 12:].abs().max().item(), 0)
            strengths.append(whole[:, :12].std(0))
        self.assertLess((strengths[1].max() / strengths[1].min()).item(), 0.9 * (strengths[0].max() / strengths[0].min()).item())

    def test_only_the_teachers_with_a_weight_teach(self):
        dense = torch.randn(128, 3, 3, 8)
        parts = {"lite2": torch.rand(128, 24), "mnv2": torch.rand(128, 16)}
        Targets.fit(self.path, parts, dense, 16, {"lite2": 1.0})
        first = Targets(self.path).whole(parts)
        torch.testing.assert_close(Targets(self.path).whole({**parts, "mnv2": torch.rand(128, 16)}), first)
        self.assertGreater((Targets(self.path).whole({**parts, "lite2": torch.rand(128, 24)}) - first).abs().max().item(), 0.1)

    def test_a_loss_left_out_moves_nothing_of_its_own(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for number in range(3):
                (folder / "cache" / "0" / f"{number:05}").mkdir(parents=True)
                for name, array in self.chunk.arrays.items():
                    np.save(folder / "cache" / "0" / f"{number:05}" / f"{name}.npy", array + (128 * number if name == "names" else 0))
            def tiny_student(_):
                torch.manual_seed(1)
                return Student(tiny_spec(), Shape(width=32, heads=4, depth=3, merge=2, grid=4, filler_grid=2))
            with mock.patch.object(train_module, "new_student", tiny_student):
                trained = train_module.train(folder, "tiny", 2, recipe=Recipe(without=("summary",), batch=16))
                # Nothing is left to do, so nothing changes.
                again = train_module.train(folder, "tiny", 2, recipe=Recipe(without=("summary",), batch=16))
            self.assertTrue(torch.equal(trained.dense_head.weight, again.dense_head.weight))
            fresh = tiny_student("tiny")
            self.assertTrue(torch.equal(trained.summary_head.weight, fresh.summary_head.weight))
            self.assertFalse(torch.equal(trained.dense_head.weight, fresh.dense_head.weight))


class AblationTest(unittest.TestCase):
    def test_labelled_rows_are_of_classes_with_enough_pictures(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(ablate, "SOURCE", 6):
            folder = Path(folder)
            names = [f"s/{i}.jpg" for i in range(12)]
            with tarfile.open(folder / "train-s.tar", "w") as archive:
                for name in names:
                    archive.addfile(tarfile.TarInfo(name))
            rows = [f"{name},s,{'many' if i < 7 else 'few' if i < 10 else ''}" for i, name in enumerate(names)]
            (folder / "train.csv").write_text("name,source,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
            chunk = Chunk.__new__(Chunk)
            chunk.arrays, chunk.size = {"names": np.array([11, 3, 8, 0, 1, 2, 4, 5, 6])}, 9
            (_, found, sources, labels), = ablate.labelled_rows(folder, [chunk])
            self.assertEqual(found.tolist(), [1, 3, 4, 5, 6, 7, 8])
            self.assertEqual(set(labels), {"many"})
            self.assertEqual(set(sources), {"s"})


class RoundingTest(unittest.TestCase):
    def test_products_are_rounded_and_sums_are_not(self):
        torch.manual_seed(0)
        x, w = torch.randn(4, 64), torch.randn(8, 64)
        with RoundedProducts():
            y, plain = F.linear(x, w), x + x
        r = RoundedProducts.rounded
        torch.testing.assert_close(y, r(r(x) @ r(w).T), rtol=0, atol=0)
        self.assertGreater((y - x @ w.T).abs().max().item(), 1e-3)
        torch.testing.assert_close(plain, 2 * x, rtol=0, atol=0)


class MetricTest(unittest.TestCase):
    def test_generalised_iou(self):
        a = np.array([[0, 0, 1, 1.0]])
        b = np.array([[0, 0, 1, 1.0], [2, 0, 1, 1.0]])
        np.testing.assert_allclose(generalised_iou(a, b), [[1, -1 / 3]])

    def test_precision_and_comp(self):
        similarity = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]])
        first, both = precision(similarity, ["a", "a", "b"], 2)
        self.assertAlmostEqual(first, 200 / 3)
        self.assertAlmostEqual(both, 100 / 3)
        boxes = {"p": [("cat", 0, 0, 1, 1)], "q": [("cat", 0, 0, 1, 1)], "r": [("dog", 0, 0, 1, 1)]}
        table = composition_table(["p", "q", "r"], boxes, 2)
        self.assertEqual(table[0].tolist(), [0, 1, 0])
        self.assertEqual(comp_at(table, similarity[:2], 1), 100)

    def test_aligned_is_the_weighted_mean_cosine(self):
        tokens = np.random.default_rng(0).normal(size=(2, 4, 8))
        rows = aligned_tokens(tokens, 4)
        z = tokens / np.linalg.norm(tokens, axis=-1, keepdims=True)
        weights = 1 - np.arange(4) / 4
        self.assertAlmostEqual(rows[0] @ rows[1], ((z[0] * z[1]).sum(1) * weights).sum() / weights.sum())

    def test_relational_loss_is_zero_for_equal_similarities(self):
        x = torch.nn.functional.normalize(torch.randn(6, 8), dim=1)
        rotation = torch.linalg.qr(torch.randn(8, 8))[0]
        self.assertLess(relational_loss(x @ rotation, x).item(), 1e-4)


if __name__ == "__main__":
    unittest.main()
