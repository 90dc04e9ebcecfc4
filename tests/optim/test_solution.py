from seatbelt_vae.optim import Status


def test_a_status_is_its_code_and_prints_its_message():
    assert [int(status) for status in Status] == [0, 1, 2, 3, 4]
    assert Status(2) is Status.BUDGET
    assert all(str(status) == status.message and len(status.message) > 20 for status in Status)
    assert len({str(status) for status in Status}) == 5
