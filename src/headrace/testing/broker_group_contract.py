"""How the members of a consumer group share what they read."""

from headrace.broker.port import Broker, Committed, Group
from headrace.model.record import TopicPartition
from headrace.testing.broker_bench import Member, name, new_topic, numbers, until, values, write


class GroupContract:
    """Consumers: places, pauses, and partitions that come and go."""

    def test_a_new_group_begins_with_the_earliest(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        write(broker, topic, numbers(0, 40), 0)
        write(broker, topic, numbers(40, 60), 1)
        member = Member(broker, name("group"), topic)

        member.poll_until(60)
        member.poll()

        assert member.assigned == {TopicPartition(topic, 0): None, TopicPartition(topic, 1): None}
        for partition, written in enumerate([numbers(0, 40), numbers(40, 60)]):
            assert values(each for each in member.records if each.partition() == partition) == written
        member.consumer.close()

    def test_a_poll_returns_no_more_than_asked_and_loses_none(self, broker: Broker) -> None:
        topic = new_topic(broker)
        write(broker, topic, numbers(0, 25))
        member = Member(broker, name("group"), topic)

        def polled_ten() -> bool:
            records = member.consumer.poll(10, 0.05)
            member.records += records
            assert len(records) <= 10
            return len(member.records) >= 25

        until(polled_ten)

        assert member.values() == numbers(0, 25)
        assert member.consumer.poll(10, 0.0) == []
        member.consumer.close()

    def test_a_commit_is_where_the_next_member_begins_and_what_it_is_told(self, broker: Broker) -> None:
        topic, group = new_topic(broker, partitions=2), name("group")
        place, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
        write(broker, topic, numbers(0, 10))
        first = Member(broker, group, topic)
        first.poll_until(10)

        first.consumer.commit({place: Committed(7, "tile-4é")}, wait=True)
        first.consumer.close()
        second = Member(broker, group, topic)
        second.poll_until(3)

        assert second.assigned == {place: Committed(7, "tile-4é"), other: None}
        assert second.values() == numbers(7, 10)
        assert broker.reader().committed(group, [place, other]) == {place: Committed(7, "tile-4é")}
        second.consumer.close()

    def test_a_commit_that_nobody_waits_for_arrives(self, broker: Broker) -> None:
        topic, group = new_topic(broker), name("group")
        place = TopicPartition(topic, 0)
        write(broker, topic, numbers(0, 3))
        member = Member(broker, group, topic)
        member.poll_until(3)
        reader = broker.reader()

        member.consumer.commit({place: Committed(2, "a")})
        member.consumer.commit({place: Committed(3, "b")})

        until(lambda: reader.committed(group, [place]) == {place: Committed(3, "b")}, member)
        member.consumer.close()

    def test_paused_partitions_give_nothing_until_resumed(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        paused, other = TopicPartition(topic, 0), TopicPartition(topic, 1)
        member = Member(broker, name("group"), topic)
        until(lambda: len(member.owned) == 2, member)

        member.consumer.pause([paused])
        write(broker, topic, numbers(0, 5), 0)
        write(broker, topic, numbers(10, 15), 1)
        member.poll_until(5)
        member.poll_for(0.3)
        assert {each.partition() for each in member.records} == {other.partition}
        member.consumer.resume([paused])
        member.poll_until(10)

        assert member.values() == numbers(10, 15) + numbers(0, 5)
        member.consumer.close()

    def test_what_is_paused_as_it_arrives_gives_nothing(self, broker: Broker) -> None:
        topic = new_topic(broker, partitions=2)
        write(broker, topic, numbers(0, 5), 0)
        write(broker, topic, numbers(10, 15), 1)
        member = Member(broker, name("group"), topic)
        member.arriving = lambda: member.consumer.pause([TopicPartition(topic, 0)])

        member.poll_until(5)
        member.poll_for(0.3)

        assert member.values() == numbers(10, 15)
        member.consumer.resume([TopicPartition(topic, 0)])
        member.poll_until(10)
        assert member.values()[5:] == numbers(0, 5)
        member.consumer.close()

    def test_seek_moves_a_partition_back_and_forth_also_while_paused(self, broker: Broker) -> None:
        topic = new_topic(broker)
        place = TopicPartition(topic, 0)
        write(broker, topic, numbers(0, 10))
        member = Member(broker, name("group"), topic)
        member.poll_until(10)

        member.consumer.seek(place, 8)
        member.poll_until(12)
        member.consumer.pause([place])
        member.consumer.seek(place, 3)
        member.poll_for(0.2)
        assert member.values() == numbers(0, 10) + numbers(8, 10)
        member.consumer.resume([place])
        member.poll_until(19)

        assert member.values()[12:] == numbers(3, 10)
        member.consumer.close()

    def test_a_place_may_be_sought_as_it_arrives(self, broker: Broker) -> None:
        topic = new_topic(broker)
        write(broker, topic, numbers(0, 10))
        member = Member(broker, name("group"), topic)
        member.arriving = lambda: member.consumer.seek(TopicPartition(topic, 0), 6)

        member.poll_until(4)

        assert member.values() == numbers(6, 10)
        member.consumer.close()

    def test_close_lets_go_with_a_last_commit_and_may_be_repeated(self, broker: Broker) -> None:
        topic, group = new_topic(broker), name("group")
        place = TopicPartition(topic, 0)
        write(broker, topic, numbers(0, 4))
        member = Member(broker, group, topic)
        member.poll_until(4)
        member.leaving = lambda: member.consumer.commit({place: Committed(4, "end")}, wait=True)

        member.consumer.close()
        member.consumer.close()

        assert member.told == [("assign", [place]), ("revoke", [place])]
        assert broker.reader().committed(group, [place]) == {place: Committed(4, "end")}

    def test_a_second_member_gets_its_share_of_every_topic_alike(self, broker: Broker) -> None:
        """Equal numbers of topics with equal counts are at one member: what belongs to partition p is in one place."""
        topics = sorted([new_topic(broker, partitions=4), new_topic(broker, partitions=4)])
        group = name("group")
        first = Member(broker, group, *topics)
        until(lambda: len(first.owned) == 8, first)

        second = Member(broker, group, *topics)
        until(lambda: len(first.owned) == len(second.owned) == 4, first, second)

        for member in (first, second):
            held = [{place.partition for place in member.owned if place.topic == topic} for topic in topics]
            assert held[0] == held[1]
            assert len(held[0]) == 2
        assert not set(first.owned) & set(second.owned)
        first.consumer.close()
        second.consumer.close()

    def test_a_partition_goes_over_and_comes_back_without_a_gap(self, broker: Broker) -> None:
        topic, group = new_topic(broker, partitions=2), name("group")
        first = Member(broker, group, topic)
        first.leaving = lambda: commit_all(first)
        write(broker, topic, numbers(0, 10), 0)
        write(broker, topic, numbers(0, 10), 1)
        first.poll_until(20)

        second = Member(broker, group, topic)
        second.leaving = lambda: commit_all(second)
        until(lambda: len(first.owned) == len(second.owned) == 1, first, second)
        (moved,) = second.owned
        assert second.assigned[moved] == Committed(10)
        write(broker, topic, numbers(10, 20), moved.partition)
        second.poll_until(10)
        second.consumer.close()
        write(broker, topic, numbers(20, 30), moved.partition)
        until(lambda: len(first.owned) == 2 and len(first.records) >= 30, first)

        assert second.values() == numbers(10, 20)
        assert first.assigned[moved] == Committed(20)
        there = [each for each in first.records if each.partition() == moved.partition]
        assert values(there) == numbers(0, 10) + numbers(20, 30)
        first.consumer.close()

    def test_a_commit_for_a_partition_that_went_is_left_out(self, broker: Broker) -> None:
        topic, group = new_topic(broker, partitions=2), name("group")
        first = Member(broker, group, topic)
        until(lambda: len(first.owned) == 2, first)
        second = Member(broker, group, topic)
        until(lambda: len(first.owned) == len(second.owned) == 1, first, second)
        (kept,), (moved,) = first.owned, second.owned
        second.consumer.commit({moved: Committed(9, "second")}, wait=True)

        first.consumer.commit({kept: Committed(5, "first"), moved: Committed(1, "first")}, wait=True)
        first.consumer.commit({moved: Committed(1, "first")}, wait=True)

        assert broker.reader().committed(group, [kept, moved]) == {
            kept: Committed(5, "first"),
            moved: Committed(9, "second"),
        }
        first.consumer.close()
        second.consumer.close()

    def test_a_group_tells_who_holds_what(self, broker: Broker) -> None:
        topic, group = new_topic(broker, partitions=2), name("group")
        reader = broker.reader()
        assert reader.group(group) == Group(state="dead")
        first, second = (Member(broker, group, topic) for _ in range(2))
        until(lambda: len(first.owned) == len(second.owned) == 1, first, second)

        until(lambda: reader.group(group).state == "stable", first, second)
        told = reader.group(group)
        assert sorted(place for each in told.members for place in each.holds) == sorted(first.owned + second.owned)
        assert len({each.id for each in told.members}) == 2
        assert all(each.client == "headrace" and each.host for each in told.members)

        first.leaving = lambda: first.consumer.commit({first.owned[0]: Committed(0)}, wait=True)
        first.consumer.close()
        second.consumer.close()
        assert reader.group(group) == Group(state="empty")
        reader.close()

    def test_a_topic_can_be_added_later(self, broker: Broker) -> None:
        early = new_topic(broker)
        member = Member(broker, name("group"), early)
        until(lambda: len(member.owned) == 1, member)
        late = new_topic(broker)
        write(broker, late, numbers(0, 3))

        member.consumer.subscribe([early, late])
        member.poll_until(3)

        assert member.owned == sorted([TopicPartition(early, 0), TopicPartition(late, 0)])
        assert ("revoke", [TopicPartition(early, 0)]) not in member.told
        member.consumer.close()


def commit_all(member: Member) -> None:
    """Commit, for each partition that *member* owns, what it has polled of it."""
    places = {}
    for record in member.records:
        places[TopicPartition(record.topic(), record.partition())] = Committed(record.offset() + 1)
    member.consumer.commit(places, wait=True)
