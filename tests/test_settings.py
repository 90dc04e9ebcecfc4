"""What a table says of settings that it does not have, wherever they stand."""

import pytest

from seatbelt_vae.errors import InputError
from seatbelt_vae.experiments.tasks import Task
from seatbelt_vae.settings import checked


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"devise": "cpu"}, "task: devise: no such setting, did you mean device?"),
        ({"attacks": [{}, {"pears": 2}]}, "task: attacks.1.pears: no such setting, did you mean pairs?"),
    ],
)
def test_the_nearest_setting_of_the_same_table(table: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        checked(Task, table, "task")
    assert str(caught.value) == message
