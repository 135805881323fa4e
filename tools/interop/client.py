"""What a client written elsewhere sees of the gateway. Usage: client.py PORT embedded|external

The gateway has the users ALICE, BOBBY and CAROL (password `change-me`; CAROL's orders are cancelled when she is
disconnected), a share ACME at a reference price of 100 with a collar of 10%, and orders of at most 1,000. Behind it is
its own ladder, or engine.py: then this program asks for the engine's death and return, by lines on standard output
that begin with `ask: `, and goes on when it is answered a line.
"""
import asyncio
import os
import sys

import ouch_interop as ouch
from desk import Desk, Failed, check, shown, within
from nasdaq_protocols import soup

DOLLAR = 10_000  # Four decimals.
# Reasons of OUCH 5.0.
CLOSED, FAT_FINGER, INVALID_QUANTITY, INVALID_SYMBOL, QUANTITY_MAX = 0x02, 0x26, 0x13, 0x17, 0x31
NOT_AUTHORIZED = soup.LoginRejectReason.NOT_AUTHORIZED
NOT_AVAILABLE = soup.LoginRejectReason.SESSION_NOT_AVAILABLE
# The most orders that are tried until one shows what became of a link, and the pauses between them.
TRIES = 100
TRY_EVERY_S = 0.1
QUIET_S = 1


async def logons(port):
    stranger = Desk(port, "ALICE")
    await stranger.refused("a wrong password", NOT_AUTHORIZED, password="guess")
    await stranger.refused("a sequence number that is not there yet", NOT_AVAILABLE, sequence=1_000)
    await stranger.refused("another session than today's", NOT_AVAILABLE, session="YESTERDAY")
    await Desk(port, "NOBODY").refused("an unknown user", NOT_AUTHORIZED)


async def one_order(alice):
    order = alice.enter("B", 100, 99 * DOLLAR)
    accepted = await alice.accepted(order)
    check("a time since midnight", 0 < accepted.timestamp < 86_400_000_000_000, accepted)
    replace = alice.replace(order, 150, 99 * DOLLAR + 5_000)
    await alice.expect(
        ouch.OrderReplaced, orig_user_ref_num=order.user_ref_num, user_ref_num=replace.user_ref_num, side="B",
        quantity=150, symbol="ACME", price=99 * DOLLAR + 5_000, time_in_force="0", order_state="L",
        cl_ord_id=replace.cl_ord_id)
    alice.cancel(replace, 50)
    await alice.expect(ouch.OrderCanceled, user_ref_num=replace.user_ref_num, quantity=100, reason="U")
    alice.cancel(replace)
    await alice.expect(ouch.OrderCanceled, user_ref_num=replace.user_ref_num, quantity=50, reason="U")
    alice.cancel(replace)  # Superfluous: the protocol has no answer to it, as the next check shows.


async def limits(alice):
    order = alice.enter("B", 1_001, 100 * DOLLAR)
    await alice.rejected(order, QUANTITY_MAX)
    await alice.rejected(alice.enter("B", 1, 110 * DOLLAR + 100), FAT_FINGER)
    await alice.rejected(alice.enter("B", 1, 100 * DOLLAR, symbol="NOSUCH"), INVALID_SYMBOL)
    at_the_limits = alice.enter("B", 1_000, 90 * DOLLAR)
    await alice.accepted(at_the_limits)
    alice.last_ref = order.user_ref_num - 1
    alice.enter("B", 1, 100 * DOLLAR)  # A number that was used: taken for a resend, and not answered.
    alice.last_ref = at_the_limits.user_ref_num
    alice.cancel(at_the_limits)
    await alice.expect(ouch.OrderCanceled, user_ref_num=at_the_limits.user_ref_num, quantity=1_000, reason="U")


async def query(alice):
    alice.session.send_message(ouch.AccountQuery())
    await alice.expect(ouch.AccountQueryResponse, next_user_ref_num=alice.last_ref + 1)


async def executed(desk, order, quantity, price):
    execution = await desk.expect(
        ouch.OrderExecuted, user_ref_num=order.user_ref_num, quantity=quantity, price=price)
    return execution.match_number


async def trades(alice, bobby):
    price = 100 * DOLLAR
    offer = alice.enter("S", 40, price)
    first = await alice.accepted(offer)
    bid = bobby.enter("B", 25, price)
    second = await bobby.accepted(bid)
    check("each order has a number of the venue", first.order_ref_num != second.order_ref_num, first, second)
    match = await executed(bobby, bid, 25, price)
    check("both sides are told one match number", match == await executed(alice, offer, 25, price), match)
    # A quantity counts what was executed, the answer only what is open.
    more = alice.replace(offer, 45, price)
    await alice.expect(
        ouch.OrderReplaced, orig_user_ref_num=offer.user_ref_num, user_ref_num=more.user_ref_num, side="S", quantity=20,
        price=price, order_state="L")
    take = bobby.enter("B", 100, price + DOLLAR, time_in_force="3")
    await bobby.accepted(take)
    await executed(bobby, take, 20, price)
    await bobby.expect(ouch.OrderCanceled, user_ref_num=take.user_ref_num, quantity=80, reason="I")
    await executed(alice, more, 20, price)


async def trade_while_away(alice, bobby):
    price = 99 * DOLLAR
    bid = alice.enter("B", 60, price)
    await alice.accepted(bid)
    await alice.drop()
    for quantity in (20, 10):
        offer = bobby.enter("S", quantity, price)
        await bobby.accepted(offer)
        await executed(bobby, offer, quantity, price)
    missed = len(alice.heard) + 1
    session = await alice.log_on()
    await executed(alice, bid, 20, price)
    await executed(alice, bid, 10, price)
    check("what was missed has the numbers asked for", len(alice.heard) == missed + 1, len(alice.heard))
    alice.cancel(bid, 40)
    await alice.expect(ouch.OrderCanceled, user_ref_num=bid.user_ref_num, quantity=20, reason="U")
    alice.cancel(bid)
    await alice.expect(ouch.OrderCanceled, user_ref_num=bid.user_ref_num, quantity=10, reason="U")
    await alice.log_out()
    for sequence in (1, missed):
        check("the session goes on", await alice.log_on(sequence) == session, session)
        await alice.resend(sequence)
        await alice.drop()
    await alice.log_on(0)
    bid = alice.enter("B", 5, 95 * DOLLAR)
    await alice.accepted(bid)
    check("from 0 on there is only what is new", alice.next_number == len(alice.heard) + 1, alice.next_number)
    alice.cancel(bid)
    await alice.expect(ouch.OrderCanceled, user_ref_num=bid.user_ref_num, quantity=5, reason="U")


async def cancel_on_disconnect(carol, bobby):
    bid = carol.enter("B", 30, 99 * DOLLAR)
    await carol.accepted(bid)
    await carol.drop()
    await carol.log_on()
    canceled = await carol.expect(ouch.OrderCanceled, user_ref_num=bid.user_ref_num, quantity=30)
    check("a reason of the document", canceled.reason in "SUZ", canceled)
    probe = bobby.enter("S", 30, 99 * DOLLAR, time_in_force="3")
    await bobby.accepted(probe)
    await bobby.expect(ouch.OrderCanceled, user_ref_num=probe.user_ref_num, quantity=30, reason="I")


async def silence(desks):
    await asyncio.sleep(7)  # Beyond twice the silence after which the package takes a server for dead.
    for desk in desks:
        check(f"{desk.user} is kept by heartbeats alone", desk.session.soup_session.is_active())


async def asked(what):
    print(f"ask: {what}", flush=True)
    answer = await within(what, asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline))
    check(what, answer == "done\n", answer)


async def until(desk, kind, reason=None):
    """Enters orders until one is answered so; every message up to that one. Answers to others may come later."""
    seen, probes = [], set()
    for _ in range(TRIES):
        probes.add(desk.enter("B", 1, 95 * DOLLAR).user_ref_num)
        desk.probes.add(desk.last_ref)
        message = await desk.next_within(QUIET_S)
        seen += [message] if message else []
        if isinstance(message, kind) and message.user_ref_num in probes and (reason is None or message.reason == reason):
            check(f"{desk.user} order {message.user_ref_num}: {kind.__name__} {reason or ''}".rstrip(), True)
            return seen
        await asyncio.sleep(TRY_EVERY_S)
    raise Failed(f"{desk.user}: no {kind.__name__} {reason or ''} to {TRIES} orders; the last: {shown(seen[-1:])}")


async def settle(desk):
    """Every message up to the last answer that is owed."""
    seen = []
    while desk.probes:
        seen.append((await desk.next(f"answers to {sorted(desk.probes)}"))[1])
    check(f"{desk.user}: each order was answered", not desk.probes)
    return seen


def only(what, messages, kind, **fields):
    """The one message of this kind and these fields."""
    found = [message for message in messages if isinstance(message, kind)
             and all(getattr(message, name) == value for name, value in fields.items())]
    check(what, len(found) == 1, messages)


async def link_is_up(desk):
    """Its engine session is connected: an order passes, and is taken back."""
    for accepted in await until(desk, ouch.OrderAccepted) + await settle(desk):
        if isinstance(accepted, ouch.OrderAccepted):
            desk.cancel(accepted)
            await desk.expect(ouch.OrderCanceled, user_ref_num=accepted.user_ref_num, quantity=1, reason="U")


async def engine_refuses(alice):
    await alice.rejected(alice.enter("B", 13, 100 * DOLLAR), INVALID_QUANTITY)


async def engine_killed(alice, bobby):
    """While it is dead the gateway answers for it; back, its book is as it was."""
    price = 99 * DOLLAR
    resting, unwanted = alice.enter("B", 40, price), alice.enter("B", 5, price - DOLLAR)
    await alice.accepted(resting)
    await alice.accepted(unwanted)
    await asked("kill the engine")
    for desk in (alice, bobby):
        await until(desk, ouch.Rejected, CLOSED)
    alice.cancel(unwanted)
    await asked("start the engine")
    seen = await until(alice, ouch.OrderAccepted) + await settle(alice)
    only("a cancel waits for the link", seen, ouch.OrderCanceled, user_ref_num=unwanted.user_ref_num, quantity=5)
    await until(bobby, ouch.OrderAccepted)
    await settle(bobby)
    offer = bobby.enter("S", 40, price)
    await bobby.accepted(offer)
    await executed(bobby, offer, 40, price)
    await executed(alice, resting, 40, price)


async def engine_dies_unanswered(alice, bobby):
    """It books an order and dies before it says so: what it would have said comes when it is back, once."""
    price = 101 * DOLLAR
    offer = bobby.enter("S", 20, price)
    await bobby.accepted(offer)
    fatal = alice.enter("B", 17, price)
    await until(alice, ouch.Rejected, CLOSED)
    await asked("start the engine")
    seen = await until(alice, ouch.OrderAccepted) + await settle(alice)
    number = fatal.user_ref_num
    only("the order is answered once", seen, ouch.OrderAccepted, user_ref_num=number)
    only("its execution is told once", seen, ouch.OrderExecuted, user_ref_num=number, quantity=17, price=price)
    seen = await until(bobby, ouch.OrderAccepted) + await settle(bobby)
    only("and to the other side", seen, ouch.OrderExecuted, user_ref_num=offer.user_ref_num, quantity=17, price=price)


async def main(port, behind):
    await logons(port)
    alice, bobby, carol = (Desk(port, user) for user in ("ALICE", "BOBBY", "CAROL"))
    for desk in (alice, bobby, carol):
        await desk.log_on()
        if behind == "external":
            await link_is_up(desk)
    await one_order(alice)
    await limits(alice)
    await query(alice)
    await trades(alice, bobby)
    await trade_while_away(alice, bobby)
    await cancel_on_disconnect(carol, bobby)
    if behind == "external":
        await engine_refuses(alice)
        await engine_killed(alice, bobby)
        await engine_dies_unanswered(alice, bobby)
    await silence((alice, bobby, carol))
    for desk in (alice, bobby, carol):
        await desk.log_out()


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
    except Failed as failed:
        print(f"FAILED  {failed}", flush=True)
        # Not sys.exit: a thread may still wait for a line.
        os._exit(1)
