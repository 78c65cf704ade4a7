"""A site's readings become a model folder that the dashboard loads, and never a worse one than it had."""

import hashlib
import json
import re
import shutil
import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")
pytest.importorskip("onnx", reason="onnx is only in models/training/requirements.txt")
pytestmark = pytest.mark.filterwarnings("ignore")

from dashboard.errors import InputRefused, ModelError  # noqa: E402
from dashboard.inference import load_models  # noqa: E402
from models.training import adapt as adaptation  # noqa: E402
from models.training.adapt import Candidate, Order, adapt, choose, recalibrate  # noqa: E402
from models.training.calibration import Calibration, Outputs  # noqa: E402
from models.training.evaluation.held_out import judge  # noqa: E402
from models.training.export import compression_onnx  # noqa: E402
from models.training.labels import IGNORE, SEGMENTATION  # noqa: E402
from models.training.losses import ordinal_loss  # noqa: E402
from models.training.network import CompressionNet  # noqa: E402
from models.training.readings import read_readings  # noqa: E402
from models.training.samples import Sample  # noqa: E402
from models.training.site_model import read_base, site_version  # noqa: E402
from models.training.train import main  # noqa: E402
from models.training.tune import TunePlan, augment, fine_tune  # noqa: E402
from tests.models.exports import write_export  # noqa: E402

MODELS = Path(__file__).parents[2] / "models"
TODAY = date(2026, 3, 14)
TINY = TunePlan(epochs=1, batch=16, drawn=16)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of models whose compression model is untrained and calibrated wrongly, and an export made with it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(MODELS / "canal", folder / "models/canal")
    torch.manual_seed(0)
    content = compression_onnx(CompressionNet())
    sha256 = hashlib.sha256(content).hexdigest()
    text = (MODELS / "compression/manifest.toml").read_text(encoding="utf-8")
    text = re.sub(r'^sha256 = ".*"', f'sha256 = "{sha256}"', text, flags=re.MULTILINE)
    text = re.sub(r"^offset = .*", "offset = [2.5, 2.5, 2.5, 2.5, 2.5]", text, flags=re.MULTILINE)
    (folder / "models/compression").mkdir()
    (folder / "models/compression/model.onnx").write_bytes(content)
    (folder / "models/compression/manifest.toml").write_text(text, encoding="utf-8")
    write_export(folder / "export", people=8, each=8, sha256=sha256)
    return folder


def order(site, out, **values):
    return Order(site / "export", site / "models", out, seed=1, today=TODAY, plan=TINY, drawn=20, **values)


@pytest.fixture(scope="module")
def recalibrated(site, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return adapt(order(site, out)), out


def manifest(out):
    return tomllib.loads((out / "compression/manifest.toml").read_text(encoding="utf-8"))


def evaluation(out):
    return json.loads((out / "compression/evaluation.json").read_text(encoding="utf-8"))


def test_few_readings_recalibrate_and_leave_the_file_alone(site, recalibrated):
    kept, out = recalibrated
    assert kept.name == "recalibrated"
    assert [c["name"] for c in evaluation(out)["candidates"]] == ["unchanged", "recalibrated"]
    assert (out / "compression/model.onnx").read_bytes() == (site / "models/compression/model.onnx").read_bytes()


def test_the_dashboard_loads_the_folder_and_names_the_site(site, recalibrated):
    _, out = recalibrated
    shutil.copytree(site / "models/canal", out / "canal", dirs_exist_ok=True)
    models = load_models(out)
    assert models.describe()[1].version == f"{read_base(MODELS / 'compression').version}+site.20260314"
    assert models.compression.manifest.calibration.offset != (2.5,) * 5


def test_the_manifest_keeps_the_contract_and_says_where_it_came_from(site, recalibrated):
    _, out = recalibrated
    base = read_base(site / "models/compression")
    stated = manifest(out)
    for table in ("input", "output", "thresholds"):
        assert stated[table] == base.document[table]
    origin = stated["provenance"]
    assert origin["adapted_from"] == base.sha256
    assert origin["date"] == TODAY
    counts = r"confirmed readings of one site: 40 readings, \d+ graded, 5 people; held out: 24 readings, \d+ graded, 3 "
    assert re.match(counts, origin["data"])


def test_figures_before_and_after_have_count_people_and_interval(recalibrated):
    _, out = recalibrated
    found = evaluation(out)
    assert found["model"]["sha256"] == manifest(out)["sha256"]
    assert {line["when"] for line in found["metrics"]} == {"before", "after", "after minus before"}
    loss = {line["when"]: line for line in found["metrics"] if line["name"] == "ordinal_loss"}
    assert loss["after"]["value"] < loss["before"]["value"]
    assert loss["after minus before"]["ci95"][0] is not None
    for line in found["metrics"]:
        assert {"name", "split", "n", "people", "value", "ci95", "when"} == set(line)
        assert line["split"] == "test"
        assert 0 < line["people"] <= 3


def test_nothing_of_a_person_goes_into_the_folder(recalibrated):
    _, out = recalibrated
    for name in ("manifest.toml", "evaluation.json"):
        text = (out / "compression" / name).read_text(encoding="utf-8")
        assert not re.search(r"person-\d|study-\d|reading-\d", text)
        assert str(out) not in text


def test_the_same_order_gives_the_same_bytes(site, recalibrated, tmp_path):
    _, out = recalibrated
    adapt(order(site, tmp_path))
    for name in ("model.onnx", "manifest.toml", "evaluation.json"):
        assert (tmp_path / "compression" / name).read_bytes() == (out / "compression" / name).read_bytes()


def test_many_readings_are_learnt_from_too(site, tmp_path, monkeypatch):
    monkeypatch.setattr(adaptation, "enough_to_tune", lambda readings: True)
    monkeypatch.setattr(adaptation, "choose", lambda candidates: candidates[-1])
    kept = adapt(order(site, tmp_path))
    assert kept.name == "fine-tuned"
    stated = manifest(tmp_path)
    assert stated["sha256"] == hashlib.sha256(kept.content).hexdigest() != read_base(site / "models/compression").sha256
    shutil.copytree(site / "models/canal", tmp_path / "canal")
    assert load_models(tmp_path).compression.manifest.sha256 == stated["sha256"]


def test_a_model_adapted_before_is_adapted_again(recalibrated, tmp_path):
    _, out = recalibrated
    assert read_base(out / "compression").version.endswith("+site.20260314")
    assert site_version("1.0.0+site.20260314", date(2027, 1, 2)) == "1.0.0+site.20270102"


def test_no_model_is_written_over(site):
    with pytest.raises(InputRefused, match="--out holds a compression model already"):
        adapt(order(site, site / "models"))


def test_an_altered_model_is_not_adapted(site, tmp_path):
    shutil.copytree(site / "models", tmp_path / "models")
    (tmp_path / "models/compression/model.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match="not the one its manifest names"):
        read_base(tmp_path / "models/compression")


def test_the_command_needs_a_folder_to_write_to(site, capsys):
    with pytest.raises(SystemExit):
        main(["--from-readings", str(site / "export")])
    assert "--from-readings needs --out" in capsys.readouterr().err


def test_the_command_says_why_it_refuses(site, tmp_path, capsys):
    assert main(["--from-readings", str(site / "export"), "--out", str(tmp_path / "out")]) == 2
    assert "crops of another model do not fit" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def outputs(ranks, logits):
    """Slices with one logit for all cuts; the scene is plain."""
    ordinal = np.repeat(np.asarray(logits, float)[:, None], 5, axis=1)
    scene = np.tile([3.0, 0, 0, 0, 0], (len(ranks), 1))
    none = np.zeros(len(ranks), int)
    return Outputs(ordinal, scene, np.asarray(ranks), none, none == 0, np.zeros((len(ranks), 2)))


BASE = Calibration([1.0] * 5, [0.0] * 5, 1.0, 0.5, [0.5, 0.4, 0.3, 0.2, 0.2])


def shifted(count=400):
    """Half 0, half 3, whose logits say one too much."""
    rng = np.random.default_rng(0)
    ranks = np.repeat([0, 5], count // 2)
    return outputs(ranks, 1.5 + np.where(ranks > 0, 1.0, -1.0) + rng.normal(0, 1, count))


def test_recalibration_follows_the_site_and_the_more_so_the_more_people():
    few, many = (recalibrate(shifted(), shifted(), BASE, persons) for persons in (4, 400))
    assert many.offset[0] < few.offset[0] < 0
    assert many.grade_cut == BASE.grade_cut


def test_a_cut_that_the_site_has_on_one_side_only_keeps_its_calibration():
    base = Calibration([1.2] * 5, [-0.7] * 5, 1.0, 0.5, [0.5] * 5)
    rng = np.random.default_rng(1)
    found = recalibrate(outputs([0, 1] * 30, rng.normal(0, 1, 60)), shifted(), base, 20)
    assert found.scale[0] != 1.2
    assert (found.scale[1:], found.offset[1:]) == ([1.2] * 4, [-0.7] * 4)


def candidate(name, content, held, drawn):
    held, drawn = (judge(found, BASE) for found in (held, drawn))
    return Candidate(name, content, BASE, held, drawn, "")


def slices(quality):
    ranks = np.tile(np.arange(6), 10)
    return outputs(ranks, (ranks - 2.5) * quality)


@pytest.mark.parametrize(
    ("held", "drawn", "kept"), [(1.0, 1.0, "fine-tuned"), (0.2, 1.0, "recalibrated"), (1.0, -0.5, "recalibrated")]
)
def test_fine_tuning_is_kept_only_if_no_worse_here_and_nothing_is_forgotten(held, drawn, kept):
    candidates = [
        candidate("unchanged", b"1", slices(0.4), slices(0.8)),
        candidate("recalibrated", b"1", slices(0.6), slices(0.8)),
        candidate("fine-tuned", b"2", slices(held), slices(drawn)),
    ]
    assert choose(candidates).name == kept


def test_a_worse_calibration_is_not_kept():
    candidates = [candidate(name, b"1", slices(q), slices(1)) for name, q in (("unchanged", 1), ("recalibrated", -1))]
    assert choose(candidates).name == "unchanged"


def test_an_altered_slice_keeps_its_outlines_in_place():
    labels = (
        np.random.default_rng(0).integers(0, len(SEGMENTATION), (12, 12)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    )
    sample = Sample((0.1 + 0.2 * labels).astype(np.float32), labels, 3, 0)
    for seed in range(8):
        found = augment(np.random.default_rng(seed), sample)
        assert (found.rank, found.scene, found.image.dtype, found.image.shape) == (3, 0, np.float32, (96, 96))
        assert 0 <= found.image.min() <= found.image.max() <= 1.5
        for k in range(len(SEGMENTATION)):
            assert np.ptp(found.image[found.segmentation == k]) < 1e-6
        assert (found.segmentation == IGNORE).mean() < 0.1


def test_fine_tuning_learns_and_leaves_the_norms_alone(site):
    base = read_base(site / "models/compression")
    readings = [r for r in read_readings(site / "export", base.version, base.sha256) if r.rank >= 0][:16]
    torch.manual_seed(0)
    net = CompressionNet().eval()
    norms = [layer.running_mean.clone() for layer in net.modules() if hasattr(layer, "running_mean")]
    images = torch.from_numpy(np.stack([r.image for r in readings])[:, None])
    ranks = torch.tensor([r.rank for r in readings])
    with torch.no_grad():
        before = float(ordinal_loss(net(images)[1], ranks))
    assert fine_tune(net, readings, 0, TunePlan(epochs=3, rate=1e-3, batch=16, drawn=16)) == 48
    with torch.no_grad():
        assert float(ordinal_loss(net(images)[1], ranks)) < before
    after = [layer.running_mean for layer in net.modules() if hasattr(layer, "running_mean")]
    assert all(torch.equal(a, b) for a, b in zip(norms, after, strict=True))
