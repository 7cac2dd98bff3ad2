"""Tests of My Agent."""

import pytest
from agentnexus_agent import AgentError

from .agent import count


def test_words_are_counted_and_the_longest_come_first() -> None:
    assert count("a quick brown fox, a dog", longest=2) == {"words": 6, "longest": ["brown", "quick"]}


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(AgentError, match=r"The text holds no words\."):
        count(" \n ")
