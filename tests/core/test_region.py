"""Regions: how much of a video token lies in them."""

import pytest
import torch

from idlora_core.frames import centre_crop_resize
from idlora_core.region import PLACES, Box, FoundFaces, checked_mask, coverage


def test_a_box_covers_parts_of_cells():
    covered = coverage(Box(0.25, 0.5, 0.625, 1.0), width=4, height=2)
    assert torch.equal(covered, torch.tensor([[0.0, 0, 0, 0], [0.0, 1, 0.5, 0]]))


def test_left_and_right_share_the_picture_between_them():
    left, right = (coverage(PLACES[place], 6, 4) for place in ("left", "right"))
    assert torch.equal(left + right, torch.ones(4, 6))


def test_a_mask_is_cropped_as_the_first_picture_is():
    mask = torch.zeros(100, 400)
    mask[:, 150:250] = 1
    fitted = centre_crop_resize(mask[None, None], 128, 64)[0, 0]
    covered = coverage(mask, width=4, height=2)
    assert covered.mean() == pytest.approx(fitted.mean().item(), abs=1e-6)
    assert torch.equal(covered, torch.tensor([[0.0, 1, 1, 0]] * 2))


def test_the_second_stage_has_four_times_the_cells_of_the_same_region():
    mask = torch.zeros(64, 128)
    mask[:32, 32:96] = 1
    small, large = coverage(mask, 4, 2), coverage(mask, 8, 4)
    pooled = torch.nn.functional.avg_pool2d(large[None], 2)[0]
    torch.testing.assert_close(pooled, small, atol=0.13, rtol=0)  # the edge is resized, not cut


@pytest.mark.parametrize("box", [(0.5, 0, 0.5, 1), (0.6, 0, 0.5, 1), (0, -0.1, 1, 1), (0, 0, 1, 1.5)])
def test_boxes_that_cannot_be(box):
    with pytest.raises(ValueError, match="greater than its left and top"):
        Box(*box)


@pytest.mark.parametrize(
    "mask, message",
    [
        (torch.zeros(1, 8, 8), "region of Anna is empty"),
        (torch.ones(2, 8, 8), "connect one mask"),
        (torch.ones(8), "connect one mask"),
    ],
)
def test_masks_that_cannot_be(mask, message):
    with pytest.raises(ValueError, match=message):
        checked_mask(mask, "Anna")


FACES = FoundFaces(200, 100, ((150.0, 20.0, 180.0, 60.0), (20.0, 30.0, 50.0, 70.0), (195.0, 0.0, 200.0, 5.0)))


def test_faces_are_counted_from_the_left_and_have_a_margin():
    first, second = FACES.mask(1, "Anna"), FACES.mask(2, "Ben")
    assert first.shape == second.shape == (100, 200)
    assert first.sum() == 42 * 56 and first[22:78, 14:56].all()
    assert second[12:68, 144:186].all() and second.sum() == 42 * 56


def test_a_face_at_the_edge_is_cut_off_there():
    assert FACES.mask(3, "Carl")[:6, 194:].all() and FACES.mask(3, "Carl").sum() == 36


@pytest.mark.parametrize(
    "faces, number, found", [(FACES, 4, "3 faces were"), (FoundFaces(9, 9, ()), 1, "no face was")]
)
def test_a_face_that_was_not_found(faces, number, found):
    with pytest.raises(ValueError, match=f"Anna is face {number} from the left, and {found} found"):
        faces.mask(number, "Anna")
