"""Cards of a model and of its data: what they say, and that nothing in them is markup."""

import numpy as np
import pytest

from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.models.speech import corpus, network, training
from xaiaudio.pages import open_books


def words(people):
    return [
        corpus.Word(digit, who, 0, np.full(800, 0.1, np.float32))
        for who in people
        for digit in range(10)
    ]


@pytest.mark.slow
def test_a_model_card_tells_the_recipe_and_the_results():
    recipe = training.TrainingRecipe(width=8, layers=1, heads=2, without_pair=(3, 7))
    made = network.build(recipe.size)
    model = training.Model(made, recipe, 0.0, 1.0, {"text": [2.0, 0.25]}, 12.3)
    card = open_books.model_card(model, {"error <rate>": "5 % | *"}, ["medicine"])
    text = card.markdown()
    assert "| without pair | 3, 7 |" in text
    assert "| without speaker | nothing |" in text
    assert "| loss of the text after the last epoch | 0.250 |" in text
    assert f"{made.count_params():,}" in text
    assert "error \\<rate\\> | 5 % \\| \\* |" in text
    assert "medicine" in text
    page = card._repr_html_()
    assert "error &lt;rate&gt;" in page
    assert "<rate>" not in page
    assert page.startswith("<h3>Model card</h3>")


def test_a_data_card_counts_what_there_is(tmp_path):
    clips = ClipSet(
        "mine",
        tuple(Clip(tmp_path / "0_a_0.wav", "zero", 1, "CC0", author) for author in ("Bo", "Al")),
        ("zero",),
    )
    pools = corpus.Pools(words(["ann", "bob"]), words(["ann"]), words(["eve"]))
    strings = corpus.draw(pools.train, 20)
    text = open_books.data_card(clips, pools, strings).markdown()
    assert "| by | Al, Bo |" in text
    assert "| train | 20 of 2 voices |" in text
    assert "| strangers | 10 of 1 voices |" in text
    total = sum(map(len, strings.digits))
    assert f"| digits | {total} |" in text
    assert f"| seconds of speech | {total * 0.1:.0f} |" in text
    counts = [sum(said.count(digit) for said in strings.digits) for digit in range(10)]
    assert f"| {min(counts)} and {max(counts)} |" in text
