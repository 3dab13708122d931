from headrace.cli.plain import columns, plain


def test_plain_lets_nothing_act_on_a_terminal() -> None:
    """Control sequences, carriage returns, changes of direction and lone surrogates are written out."""
    hostile = "a\x1b[2Jb\rc\u202ed\x9be\udc80f"

    assert plain(hostile) == "a\\x1b[2Jb\\rc\\u202ed\\x9be\\udc80f"


def test_plain_leaves_what_people_write() -> None:
    assert plain("Grüße, 你好 👋") == "Grüße, 你好 👋"


def test_columns_line_up_words_left_and_numbers_right() -> None:
    assert columns([["", "n"], ["org a", "1"], ["b", "1000"]]) == "          n\norg a     1\nb      1000"
