"""What an error text must be for the person at the graph."""


def assert_one_sentence(text, words, name):
    assert words in text
    assert name in text
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 400
