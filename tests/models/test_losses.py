"""What training pays for: the line between tumour and cord, the cut between 1c and 2, a compression refused."""

import pytest

torch = pytest.importorskip("torch", reason="torch is only in models/training/requirements.txt")

from models.training.labels import GRADES, IGNORE, SEGMENTATION  # noqa: E402
from models.training.losses import ordinal_loss, scene_loss, segmentation_loss  # noqa: E402

CORD, TUMOUR = SEGMENTATION.index("cord"), SEGMENTATION.index("tumour")


def masks(*, touching):
    """Cord on the left, tumour on the right, with or without a gap of four columns."""
    target = torch.zeros(1, 12, 12, dtype=torch.long)
    target[:, :, :4] = CORD
    target[:, :, 4 if touching else 8 :] = TUMOUR
    return target


def logits(target, wrong_column):
    """Sure of the truth everywhere but in one column, where it is sure of nothing."""
    found = 8.0 * torch.nn.functional.one_hot(target, len(SEGMENTATION)).permute(0, 3, 1, 2).float()
    found[:, :, :, wrong_column] = 0
    return found


def test_an_error_where_tumour_and_cord_meet_costs_more():
    touching = masks(touching=True)
    assert segmentation_loss(logits(touching, 4), touching) > 1.5 * segmentation_loss(logits(touching, 9), touching)


def test_unknown_pixels_cost_nothing():
    target = torch.full((1, 12, 12), IGNORE)
    found = torch.randn(1, len(SEGMENTATION), 12, 12, requires_grad=True)
    segmentation_loss(found, target).backward()
    assert not found.grad.any()


def gradient(rank):
    found = torch.zeros(1, len(GRADES) - 1, requires_grad=True)
    ordinal_loss(found, torch.tensor([rank])).backward()
    return found.grad[0].abs()


def test_the_cut_between_1c_and_2_counts_double_beside_it():
    assert gradient(3)[3] == pytest.approx(2 * float(gradient(2)[3]))
    assert gradient(4)[3] == pytest.approx(2 * float(gradient(5)[3]))
    assert gradient(3)[2] == gradient(4)[2]


def test_a_compression_that_is_refused_costs_more_than_a_healthy_slice_that_is():
    refused = torch.zeros(2, 5)
    refused[0, 1] = 4.0
    scene = torch.zeros(2, dtype=torch.long)
    assert scene_loss(refused, scene, torch.tensor([5, 0])) > scene_loss(refused, scene, torch.tensor([0, 5]))
