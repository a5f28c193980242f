from itertools import islice
from uuid import UUID

from authconfigs.tokens.due import Due, in_turn


def due(tenant: int, host: str, number: int) -> list[Due]:
    return [Due(UUID(int=tenant), UUID(int=one), host) for one in range(number)]


def test_nobody_waits_behind_somebody_elses_many() -> None:
    many, five = due(1, "big.example", 10_000), due(2, "small.example", 5)

    turns = list(in_turn([*many, *five]))

    assert sorted(turns, key=repr) == sorted([*many, *five], key=repr)
    assert [one.tenant_id.int for one in turns[:10]] == [1, 2] * 5


def test_one_host_of_a_tenant_doesnt_hold_up_its_others() -> None:
    slow, quick = due(1, "slow.example", 1000), due(1, "quick.example", 3)

    hosts = [one.host for one in islice(in_turn([*slow, *quick]), 6)]

    assert hosts == ["slow.example", "quick.example"] * 3
