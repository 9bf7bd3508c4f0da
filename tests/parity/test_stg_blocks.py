"""The text of the STG widget."""

import importlib

import pytest


@pytest.fixture(scope="module")
def parse(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.stg_blocks").parse_stg_block_indices


@pytest.mark.parametrize(
    ("text", "expected"), [("29", (29,)), ("14, 19", (14, 19)), ("19 14 14", (14, 19)), (" 0,", (0,))]
)
def test_stg_block_indices(parse, text, expected):
    assert parse(text, 48) == expected


@pytest.mark.parametrize("text", ["", "  ", "x", "1.5", "-1", "29;30"])
def test_stg_block_indices_that_are_no_numbers_are_refused(parse, text):
    with pytest.raises(ValueError, match="write whole numbers"):
        parse(text, 48)


def test_an_stg_block_that_does_not_exist_is_refused(parse):
    with pytest.raises(ValueError, match="block 48 does not exist: this model has 48 blocks, 0 to 47"):
        parse("48", 48)


def test_a_text_of_any_length_is_refused_without_being_repeated(parse):
    with pytest.raises(ValueError, match="holds 6000 characters") as refused:
        parse("29, 30" * 1000, 48)
    assert "29, 3029" not in str(refused.value)
