"""Reading JSON strictly."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions import documents

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
)  # fmt: skip


@given(JSON)
def test_what_is_written_reads_the_same(document: Any) -> None:
    raw = documents.dump(document)
    assert documents.parse(raw) == document
    assert documents.looks_like_document(raw)
    assert b"\n" not in raw


REFUSED = (
    *(b"", b" ", b"{", b"NaN", b"Infinity", b"-Infinity", b"1e999", b'{"a":-1e999}', b'"\\ud800"', b'{"\\udfff":1}'),
    *(b"\xff", b"{'a':1}", b"1 2", b"[" * 65 + b"]" * 65, b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000),
)


@pytest.mark.parametrize("raw", REFUSED, ids=lambda raw: repr(raw[:12]))
def test_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any kind of it
        documents.parse(raw)


def test_deepest_allowed() -> None:
    assert documents.parse(b"[" * 64 + b"]" * 64)


def test_where_it_is_wrong() -> None:
    assert documents.unstorable({"a": [1, {"b/c": float("inf")}]}) == ("/a/1/b~1c", "This number is too large.")
    assert documents.unstorable({"a": [1, "x", None, True, 2.5]}) is None


def test_fingerprint_knows_values_not_their_order() -> None:
    assert documents.fingerprint({"a": 1, "b": 2}) == documents.fingerprint({"b": 2, "a": 1})
    assert documents.fingerprint({"a": 1}) != documents.fingerprint({"a": "1"})
    assert documents.fingerprint("a", "b") != documents.fingerprint("ab")
    assert documents.fingerprint([1, 2]) != documents.fingerprint([2, 1])
