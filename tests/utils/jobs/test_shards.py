"""Parts of a list: each item is in one, whatever the count."""

import pytest

from tbd.errors import InputError
from tbd.utils.jobs.shards import Shard


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_every_item_is_in_one_shard(count):
    parts = [Shard(k, count).of(range(13)) for k in range(1, count + 1)]
    assert sorted(item for part in parts for item in part) == list(range(13))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0", ""])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(InputError, match="shard"):
        Shard.parse(text)
