import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatbelt_vae.experiments.toml import dump_toml

scalars = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.booleans(),
)
values = st.one_of(scalars, st.lists(scalars), st.lists(st.lists(st.integers())))
names = st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(names, st.dictionaries(names, values)))
def test_what_is_written_is_read_back(tables: dict[str, dict[str, Any]]) -> None:
    assert tomllib.loads(dump_toml(tables)) == tables


def test_none_is_left_out_and_other_kinds_are_refused() -> None:
    assert tomllib.loads(dump_toml({"a": {"x": None, "y": 1}})) == {"a": {"y": 1}}
    with pytest.raises(TypeError, match="complex"):
        dump_toml({"a": {"x": 1j}})
